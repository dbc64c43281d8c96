import { worksPerhapsNextTime } from "../postgres/advice.js"
import type { Client } from "../postgres/connect.js"
import { type Result, runCounted } from "../postgres/counted.js"
import { blockersOf } from "./blockers.js"
import { ConnectionLost, migrationFailed, type Refusal, refusedOrLost } from "./failure.js"
import { backoffMs, interrupted, pause } from "./interrupt.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"
import { durationColumn, type Message, transactionMessage } from "./script.js"

const untouched = (applied: number): string =>
  `nothing of this migration was applied or recorded; ${applied === 0 ? "nothing stood before it." : `the ${applied} before it stand.`}`

/**
 * Applies one transactional migration, again after a lock timeout, a deadlock or a serialization failure: the
 * transaction was rolled back whole. Resolves to its duration in milliseconds.
 * Errors: L1012 refused, L1001 interrupted; ConnectionLost where the outcome is not known.
 */
export async function applyTransactional(
  client: Client,
  prepared: Prepared,
  request: DeployRequest,
  before: number,
): Promise<number> {
  const { settings, signal, onEvent, url } = request
  const { name } = prepared.migration
  for (let attempt = 0; ; attempt++) {
    const outcome = await send(client, prepared, transactionMessage(prepared, url.schema, settings.lockTimeout))
    if (typeof outcome === "number") return outcome
    await client.query("ROLLBACK").catch(refusedOrLost)
    if (signal.aborted) throw interrupted(untouched(before))
    if (!worksPerhapsNextTime(outcome.error.code) || attempt >= settings.retries) {
      throw await migrationFailed(prepared, outcome, untouched(before), "fix the file, then run the same deploy again.")
    }
    const delayMs = backoffMs(attempt)
    const reason = await blockersOf(client, prepared, outcome)
    onEvent({ event: "retry", name, attempt: attempt + 1, of: settings.retries, delayMs, reason })
    await pause(delayMs, signal, untouched(before))
  }
}

async function send(client: Client, prepared: Prepared, message: Message): Promise<number | Refusal> {
  const { before, script, after } = message
  const parts = prepared.unparsed ? [before, script, after] : [before + script + after]
  let completed = 0
  for (const part of parts) {
    const outcome = await runCounted(client, part)
    if (outcome.ok) {
      completed += outcome.results.length
      const [duration] = durations(outcome.results)
      if (duration !== undefined) return duration
      continue
    }
    const error = refusedOrLost(outcome.error)
    const sentBefore = prepared.unparsed ? 0 : before.length
    return { error, sentBefore, startsAt: 0, statement: completed + outcome.completed - 1 }
  }
  throw new ConnectionLost("the server did not confirm the history row")
}

/**
 * Applies small transactional migrations in one message, each in its own transaction with its own row. When one of
 * them is refused, PostgreSQL skips the rest of the message; the history then says which are done.
 * Resolves to the durations, or undefined where one was refused.
 */
export async function applyBatch(
  client: Client,
  batch: readonly Prepared[],
  request: DeployRequest,
): Promise<readonly number[] | undefined> {
  const messages = batch.map((prepared) =>
    transactionMessage(prepared, request.url.schema, request.settings.lockTimeout),
  )
  const outcome = await runCounted(
    client,
    messages.map(({ before, script, after }) => before + script + after).join(""),
  )
  if (!outcome.ok) {
    refusedOrLost(outcome.error)
    await client.query("ROLLBACK").catch(refusedOrLost)
    return undefined
  }
  return durations(outcome.results)
}

const durations = (results: readonly Result[]): readonly number[] =>
  results.flatMap(({ rows }) => (rows[0]?.[durationColumn] ? [Number(rows[0][durationColumn])] : []))
