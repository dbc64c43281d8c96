import { lockHolder } from "../../history/lock.js"
import { durationColumn, finishedAt, finishedRow, lockHeld } from "../../history/rows.js"
import type { Client } from "../../postgres/connect.js"
import { runCounted } from "../../postgres/counted.js"
import { isRetryable, remedyFor } from "../../postgres/sqlstate.js"
import { type DeployContext, startMigration } from "../context.js"
import { ConnectionLost, lostOr, RowRefused, refusalOf } from "../failure.js"
import { backoffMs, cancelledOnSignal, interrupted, pause } from "../interrupt.js"
import { asOneStatement, type Prepared, refusedInside } from "./prepare.js"
import { migrationFailed, type Refusal, rowRefused, withStatementOutside } from "./refused.js"
import { autovacuumLockTimeout, obstacleOf } from "./retry.js"
import { discards, freshSettings, setLockTimeout } from "./session.js"

/** The database's state after a transactional migration was refused or cancelled; `before`: how many are applied. */
export const notApplied = (before: number): string =>
  `nothing of this migration was applied or recorded; ${
    before === 0
      ? "no earlier migration is applied."
      : before === 1
        ? "the earlier migration is applied."
        : `the ${before} earlier migrations are applied.`
  }`

/**
 * Applies one transactional migration, again after a lock timeout, a deadlock or a serialization failure: the
 * transaction was rolled back as a whole. `before`: how many migrations are applied. Resolves to its duration in
 * milliseconds; or to the migration as it has to be applied, statement by statement, where one of its statements
 * commits by itself.
 * Errors: L1012, L1014, L1024 refused, L1001 interrupted; ConnectionLost where the outcome is not known.
 */
export async function applyTransactional(
  context: DeployContext,
  prepared: Prepared,
  before: number,
): Promise<number | Prepared> {
  const { client, request, progress } = context
  const { settings, signal, onEvent } = request
  const { name } = prepared.migration
  const state = notApplied(before)
  const message = transactionMessage(context, { prepared, id: startMigration(progress, prepared) })
  for (let attempt = 0; ; attempt++) {
    const outcome = await send(context, message).catch(async (error: unknown) => {
      throw error instanceof RowRefused ? await rowRefused(context, prepared, state) : error
    })
    if (typeof outcome === "number") return outcome
    await client.query("ROLLBACK")
    if (signal.aborted) throw interrupted(state)
    const stepwise = await withStatementOutside(prepared, outcome, request)
    if (stepwise) return stepwise
    const { error } = outcome
    if (!isRetryable(error.code) || attempt >= settings.retries) {
      const next = nextAfter(error.code)
      throw refusedInside(prepared, error, state) ?? (await migrationFailed(prepared, outcome, { state, next }))
    }
    const delayMs = backoffMs(attempt)
    const { reason, autovacuum } = await obstacleOf(client, prepared, outcome)
    await client.query(setLockTimeout(autovacuum ? autovacuumLockTimeout : `'${settings.lockTimeout}'`))
    onEvent({ event: "retry", name, attempt: attempt + 1, of: settings.retries, delayMs, reason })
    await pause(delayMs, signal, state)
  }
}

const nextAfter = (sqlstate: string | undefined): string =>
  isRetryable(sqlstate)
    ? "run the same deploy again."
    : `${remedyFor(sqlstate) ?? "fix the file"}, then run the same deploy again.`

async function send(context: DeployContext, message: Message): Promise<number | Refusal> {
  const { before, opening, script, after } = message
  const { client } = context
  const outcome = await cancelledOnSignal(context, () => runCounted(client, [before, ...script, after], durationColumn))
  if (!outcome.ok) {
    const error = refusalOf(client, outcome.error)
    return { error, sentBefore: before.length, startsAt: 0, statement: outcome.completed - opening }
  }
  const duration = outcome.values.at(-1)
  if (duration !== undefined) return Number(duration)
  throw new ConnectionLost("the server did not confirm the history row")
}

/**
 * Applies small transactional migrations in one message, each in its own transaction with its own row. When one of
 * them is refused, PostgreSQL skips the rest of the message; the history then shows which are done.
 * Resolves to the durations, or undefined where one was refused.
 */
export async function applyBatch(
  context: DeployContext,
  batch: readonly Sent[],
): Promise<readonly number[] | undefined> {
  const { client } = context
  const message = batchMessage(context, batch)
  const outcome = await cancelledOnSignal(context, () => runCounted(client, [message], durationColumn))
  if (outcome.ok) return outcome.values.map(Number)
  // The next attempt sends them one by one, and so finds out which one was refused, and why.
  const error = lostOr(client, outcome.error)
  if (error instanceof ConnectionLost) throw error
  await client.query("ROLLBACK")
  return undefined
}

/** A migration to be sent, and the id of its history row. */
interface Sent {
  readonly prepared: Prepared
  readonly id: string
}

/**
 * A transactional migration as one message, `BEGIN; script; history row; COMMIT`, in parts: together they would be
 * another copy of a large file.
 */
interface Message {
  readonly before: string
  /** How many statements come before the script. */
  readonly opening: number
  readonly script: readonly string[]
  readonly after: string
}

/**
 * What every migration begins with, in a transaction of its own, because nothing may come before SET TRANSACTION: the
 * check that this session still holds the lock, without which nothing of the message runs, and a clean session.
 */
export const opening = (client: Client): readonly string[] => [
  "BEGIN",
  lockHeld(lockHolder(client)),
  ...discards,
  "COMMIT",
]

type Session = Pick<DeployContext, "client" | "request">

/** A migration and its row in one transaction, so that both commit or neither. Its last value is the duration. */
function transactionMessage(session: Session, { prepared, id }: Sent): Message {
  const { client, request } = session
  const before = [...opening(client), "BEGIN"]
  const row = finishedRow({ pid: lockHolder(client), schema: request.url.schema, id }, prepared.migration, "now()")
  return {
    before: `${title([prepared])}${before.join(";")};`,
    opening: before.length,
    script: prepared.unparsed ? asOneStatement(prepared.sql, id) : [prepared.sql, "\n;"],
    after: `${freshSettings(session)}${row};COMMIT;`,
  }
}

/**
 * Several transactional migrations as one message, each in its own transaction with its own row; its values are the
 * durations. Within one message now() is constant: a migration starts when the one before it is finished.
 */
function batchMessage(session: Session, batch: readonly Sent[]): string {
  const { client, request } = session
  const { schema } = request.url
  const pid = lockHolder(client)
  const settings = freshSettings(session)
  const between = `BEGIN;${discards.join(";")};COMMIT;`
  const transactions = batch.map(({ prepared: { sql, migration }, id }, index) => {
    const previous = batch[index - 1]?.id
    const started = previous === undefined ? "now()" : finishedAt(schema, previous)
    const first = previous === undefined ? `${opening(client).join(";")};` : between
    return `${first}BEGIN;${sql}\n;${settings}${finishedRow({ pid, schema, id }, migration, started)};COMMIT;`
  })
  return title(batch.map(({ prepared }) => prepared)) + transactions.join("")
}

/** The first line of a message: what pg_stat_activity shows of it, and a waiting deployer reports. */
function title([first, ...more]: readonly Prepared[]): string {
  const name = first?.migration.name.replaceAll(/[^ -~]/g, "?")
  return `-- ${name}${more.length > 0 ? ` and ${more.length} more` : ""}\n`
}
