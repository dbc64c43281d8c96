import { randomUUID } from "node:crypto"
import { LockstepError } from "../errors.js"
import { worksPerhapsNextTime } from "../postgres/advice.js"
import type { Client } from "../postgres/connect.js"
import { runCounted } from "../postgres/counted.js"
import { runsAlone } from "../sql/alone.js"
import type { Statement } from "../sql/parse.js"
import { blockersOf } from "./blockers.js"
import { migrationFailed, type Refusal, refusedOrLost } from "./failure.js"
import { clearTheWay, remainder } from "./index-state.js"
import { backoffMs, interrupted, pause } from "./interrupt.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"
import { failedRow, finishRow, freshSession, startedRow, stepsDone } from "./script.js"

/** A row that is already there, and how many statements it says are done. */
export interface Progress {
  readonly id: string
  readonly steps: number
}

/**
 * Applies a migration statement by statement, counting in its history row; goes on from `progress` where one is given.
 * Statements that PostgreSQL allows in a transaction commit together with their count.
 * Resolves to the duration in milliseconds. Errors: L1015 a statement was refused, L1001 interrupted; ConnectionLost.
 */
export async function applyStepwise(
  client: Client,
  prepared: Prepared,
  request: DeployRequest,
  progress?: Progress,
): Promise<number> {
  const { schema } = request.url
  const started = performance.now()
  const id = progress?.id ?? randomUUID()
  if (progress === undefined) await client.query(startedRow(schema, id, prepared.migration)).catch(refusedOrLost)
  // A concurrent index build waits without stopping the table's writers, so nothing hurries it.
  if (prepared.class === "non-transactional") await client.query("SET lock_timeout=0").catch(refusedOrLost)
  for (const statement of prepared.statements.slice(progress?.steps ?? 0)) {
    await applyStatement(client, prepared, statement, id, request, statement.index === progress?.steps)
  }
  await settle(client, prepared, request, id)
  return Math.round(performance.now() - started)
}

async function applyStatement(
  client: Client,
  prepared: Prepared,
  statement: Statement,
  id: string,
  request: DeployRequest,
  again: boolean,
): Promise<void> {
  const { settings, signal, onEvent } = request
  let repeated = again
  for (let attempt = 0; ; attempt++) {
    if (repeated && !(await clearTheWay(client, statement))) return await count(client, statement, id, request)
    const refusal = await send(client, prepared, statement, id, request)
    if (refusal === undefined) return
    if (client.getTransactionStatus() !== "I") await client.query("ROLLBACK").catch(refusedOrLost)
    if (signal.aborted) throw interrupted(await record(client, prepared, statement, id, request, refusal))
    if (prepared.class === "self-managed" || !worksPerhapsNextTime(refusal.error.code) || attempt >= settings.retries) {
      const state = await record(client, prepared, statement, id, request, refusal)
      const failed = await migrationFailed(prepared, refusal, state, nextOf(prepared))
      throw new LockstepError("L1015", failed.message, failed.details)
    }
    repeated = true
    const delayMs = backoffMs(attempt)
    const reason = await blockersOf(client, prepared, refusal)
    onEvent({
      event: "retry",
      name: prepared.migration.name,
      attempt: attempt + 1,
      of: settings.retries,
      delayMs,
      reason,
    })
    await pause(delayMs, signal, "the statements before are applied.")
  }
}

async function send(
  client: Client,
  prepared: Prepared,
  statement: Statement,
  id: string,
  request: DeployRequest,
): Promise<Refusal | undefined> {
  const { url, settings } = request
  const alone = prepared.class === "self-managed" || runsAlone(statement)
  const limit = setsLockTimeout(prepared) ? "" : `SET LOCAL lock_timeout=${settings.lockTimeout};`
  const before = alone ? "" : `BEGIN;${limit}`
  const after = alone ? "" : `\n;${stepsDone(url.schema, id, statement.index + 1)};COMMIT`
  const outcome = await runCounted(client, before + statement.text + after)
  if (!outcome.ok) {
    const error = refusedOrLost(outcome.error)
    return { error, sentBefore: before.length, startsAt: statement.start, statement: statement.index }
  }
  if (alone && client.getTransactionStatus() === "I") await count(client, statement, id, request)
  return undefined
}

/** A migration that says itself how long to wait for locks is left to it. */
const setsLockTimeout = ({ statements }: Prepared): boolean =>
  statements.some(({ node }) => "VariableSetStmt" in node && node.VariableSetStmt.name === "lock_timeout")

async function count(client: Client, statement: Statement, id: string, { url }: DeployRequest): Promise<void> {
  await client.query(stepsDone(url.schema, id, statement.index + 1)).catch(refusedOrLost)
}

async function settle(client: Client, prepared: Prepared, { url, settings }: DeployRequest, id: string): Promise<void> {
  if (client.getTransactionStatus() !== "I") {
    await client.query("ROLLBACK").catch(refusedOrLost)
    const message = "The migration begins a transaction and does not end it; it was rolled back."
    await client.query(failedRow(url.schema, id, message)).catch(refusedOrLost)
    throw new LockstepError("L1015", `${prepared.migration.name} begins a transaction and does not end it`, {
      file: prepared.file,
      state: "what the open transaction did was rolled back; the history holds the failed row.",
      next: nextOf(prepared),
    })
  }
  const { schema } = url
  await client
    .query(
      `BEGIN;${freshSession(schema, settings.lockTimeout)}${finishRow(schema, id, prepared.migration.checksum)};COMMIT`,
    )
    .catch(refusedOrLost)
}

/** Records the failure where Prisma records it, and says what state that leaves. */
async function record(
  client: Client,
  prepared: Prepared,
  statement: Statement,
  id: string,
  { url, settings }: DeployRequest,
  { error }: Refusal,
): Promise<string> {
  const { name } = prepared.migration
  const logs = [
    "A migration failed to apply. New migrations cannot be applied before the error is recovered from.",
    `Migration name: ${name}`,
    `Database error code: ${error.code}`,
    `Database error:\nERROR: ${error.message}`,
    `Statement: ${statement.index + 1} of ${prepared.statements.length}, line ${statement.line}`,
  ].join("\n\n")
  await client
    .query(`${freshSession(url.schema, settings.lockTimeout)}${failedRow(url.schema, id, logs)}`)
    .catch(refusedOrLost)
  const left = await remainder(client, statement)
  const reached = `statement ${statement.index + 1} of ${prepared.statements.length} of ${name} was reached`
  return `${reached}, those before it are applied, and the history holds the failed row.${left ? ` ${left}` : ""}`
}

const nextOf = ({ migration: { name } }: Prepared): string =>
  `mend the cause, then: lockstep deploy --resume   (or settle it by hand: lockstep resolve --rolled-back ${name})`
