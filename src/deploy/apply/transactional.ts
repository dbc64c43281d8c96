import { durationColumn, finishedAt, finishedRow, lockHeld } from "../../history/rows.js"
import type { Client } from "../../postgres/connect.js"
import { runCounted } from "../../postgres/counted.js"
import { remedyFor, worksPerhapsNextTime } from "../../postgres/sqlstate.js"
import { lockHolder } from "../connect/lock.js"
import { begin, type DeployRequest, type Ledger } from "../context.js"
import { ConnectionLost, lostOr, migrationFailed, type Refusal, RowRefused, refusalOf, rowRefused } from "../failure.js"
import { backoffMs, cancelledOnSignal, interrupted, pause } from "../interrupt.js"
import type { Prepared } from "./prepare.js"
import { obstacleOf } from "./retry.js"
import { discards, freshSettings } from "./session.js"
import { withStatementOutside } from "./stepwise-run.js"
import { asOneStatement, refusedInside } from "./unparsed.js"

/** The database's state after a transactional migration was refused or cancelled. */
export const untouched = (before: number): string =>
  `nothing of this migration was applied or recorded; ${
    before === 0
      ? "none stands before it."
      : before === 1
        ? "the one before it stands."
        : `the ${before} before it stand.`
  }`

/**
 * Applies one transactional migration, again after a lock timeout, a deadlock or a serialization failure: the
 * transaction was rolled back whole. `before`: how many stand applied. Resolves to its duration in milliseconds; or to
 * the migration as it has to be applied, statement by statement, where one of its statements commits by itself.
 * Errors: L1012, L1014, L1024 refused, L1001 interrupted; ConnectionLost where the outcome is not known.
 */
export async function applyTransactional(
  client: Client,
  prepared: Prepared,
  request: DeployRequest,
  ledger: Ledger,
  before: number,
): Promise<number | Prepared> {
  const { settings, signal, onEvent } = request
  const { name } = prepared.migration
  const message = transactionMessage(client, { prepared, id: begin(ledger, prepared) }, request)
  for (let attempt = 0; ; attempt++) {
    const outcome = await send(client, message, request).catch(async (error: unknown) => {
      throw error instanceof RowRefused ? await rowRefused(client, prepared, request, untouched(before)) : error
    })
    if (typeof outcome === "number") return outcome
    await client.query("ROLLBACK")
    if (signal.aborted) throw interrupted(untouched(before))
    const stepwise = await withStatementOutside(prepared, outcome, request)
    if (stepwise) return stepwise
    if (!worksPerhapsNextTime(outcome.error.code) || attempt >= settings.retries) {
      const state = untouched(before)
      const refused = refusedInside(prepared, outcome.error, state)
      throw refused ?? (await migrationFailed(prepared, outcome, state, nextAfter(outcome.error.code)))
    }
    const delayMs = backoffMs(attempt)
    const { reason, lockTimeout } = await obstacleOf(client, prepared, outcome, request)
    await client.query(lockTimeout)
    onEvent({ event: "retry", name, attempt: attempt + 1, of: settings.retries, delayMs, reason })
    await pause(delayMs, signal, untouched(before))
  }
}

const nextAfter = (sqlstate: string | undefined): string =>
  worksPerhapsNextTime(sqlstate)
    ? "run the same deploy again."
    : `${remedyFor(sqlstate) ?? "fix the file"}, then run the same deploy again.`

async function send(
  client: Client,
  { before, opening, script, after }: Message,
  request: DeployRequest,
): Promise<number | Refusal> {
  const message = [before, ...script, after]
  const outcome = await cancelledOnSignal(client, request, () => runCounted(client, message, durationColumn))
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
 * them is refused, PostgreSQL skips the rest of the message; the history then says which are done.
 * Resolves to the durations, or undefined where one was refused.
 */
export async function applyBatch(
  client: Client,
  batch: readonly Sent[],
  request: DeployRequest,
): Promise<readonly number[] | undefined> {
  const message = batchMessage(client, batch, request)
  const outcome = await cancelledOnSignal(client, request, () => runCounted(client, [message], durationColumn))
  if (outcome.ok) return outcome.values.map(Number)
  // Which one it is, and why, the next attempt says, which sends them one by one.
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
 * check that this session still holds the lock, without which nothing of the message runs, and a session as new.
 */
export const opening = (client: Client): readonly string[] => [
  "BEGIN",
  lockHeld(lockHolder(client)),
  ...discards,
  "COMMIT",
]

/** A migration and its row in one transaction, so that both commit or neither. It gives the milliseconds that it took. */
function transactionMessage(client: Client, { prepared, id }: Sent, request: DeployRequest): Message {
  const before = [...opening(client), "BEGIN"]
  const row = finishedRow({ pid: lockHolder(client), schema: request.url.schema, id }, prepared.migration, "now()")
  return {
    before: `${title([prepared])}${before.join(";")};`,
    opening: before.length,
    script: prepared.unparsed ? asOneStatement(prepared.sql, id) : [prepared.sql, "\n;"],
    after: `${freshSettings(client, request)}${row};COMMIT;`,
  }
}

/**
 * Several transactional migrations as one message, each in its own transaction with its own row; each gives the
 * milliseconds that it took. Within one message now() stands still: a migration starts there when the one before it is
 * finished.
 */
function batchMessage(client: Client, batch: readonly Sent[], request: DeployRequest): string {
  const { schema } = request.url
  const pid = lockHolder(client)
  const settings = freshSettings(client, request)
  const between = `BEGIN;${discards.join(";")};COMMIT;`
  const transactions = batch.map(({ prepared: { sql, migration }, id }, index) => {
    const previous = batch[index - 1]?.id
    const started = previous === undefined ? "now()" : finishedAt(schema, previous)
    const first = previous === undefined ? `${opening(client).join(";")};` : between
    return `${first}BEGIN;${sql}\n;${settings}${finishedRow({ pid, schema, id }, migration, started)};COMMIT;`
  })
  return title(batch.map(({ prepared }) => prepared)) + transactions.join("")
}

/** The first line of a message: what pg_stat_activity shows of it, and a waiting deployer says. */
function title([first, ...more]: readonly Prepared[]): string {
  const name = first?.migration.name.replaceAll(/[^ -~]/g, "?")
  return `-- ${name}${more.length > 0 ? ` and ${more.length} more` : ""}\n`
}
