import { LockstepError } from "../../errors.js"
import { lockHeld } from "../../history/rows.js"
import { runCounted } from "../../postgres/counted.js"
import { worksPerhapsNextTime } from "../../postgres/sqlstate.js"
import { runsAlone } from "../../sql/classify.js"
import type { Statement } from "../../sql/parse.js"
import { quoted } from "../../sql/tree.js"
import { lockHolder } from "../connect/lock.js"
import { migrationFailed, type Refusal, refusalOf } from "../failure.js"
import { backoffMs, cancelledOnSignal, interrupted, pause } from "../interrupt.js"
import { clearTheWay, type Doubt, type Verdict, waitsPolitely } from "../recover/interrupted-statement.js"
import { passedOver } from "../recover/invalid-indexes.js"
import { obstacleOf } from "./retry.js"
import { setsLockTimeout } from "./session.js"
import {
  type Course,
  count,
  counted,
  countingSql,
  mayHaveCommitted,
  nextAfter,
  recordFailure,
  stateAt,
  withStatementOutside,
} from "./stepwise-run.js"

/**
 * Applies one statement and counts it, again after a lock timeout, a deadlock or a serialization failure, unless it may
 * have committed a part of itself; outside of a transaction where it turns out to commit. `before` is what is known of an
 * earlier attempt; `unattended`: nobody has looked at what that one left.
 * Errors: L1015, L1001; ConnectionLost.
 */
export async function applyStatement(
  course: Course,
  statement: Statement,
  before: Doubt | undefined,
  unattended: boolean,
): Promise<void> {
  const { client, prepared, request, ledger, id } = course
  const { settings, signal, onEvent } = request
  const own = setsLockTimeout(prepared.statements)
  let doubt = before
  for (let attempt = 0; ; attempt++) {
    const verdict = doubt === undefined ? "run" : await verdictOn(course, statement, doubt)
    if (verdict === "done") return await count(course, statement)
    if (verdict === "unclear" && unattended) throw unclear(course, statement)
    const refusal = await send(course, statement)
    if (refusal === undefined) {
      if (attempt > 0 && !own) await client.query(`SET lock_timeout=${settings.lockTimeout}`)
      return
    }
    await client.query("ROLLBACK")
    if (signal.aborted) throw interrupted(await recordFailure(course, statement, refusal.error))
    const outside = await withStatementOutside(prepared, refusal, request)
    if (outside) {
      course.prepared = outside
      ledger.begun.set(id, outside)
      return await applyStatement(course, outside.statements[statement.index] ?? statement, undefined, false)
    }
    const onlyOnce = prepared.class === "self-managed" || mayHaveCommitted(prepared, statement)
    if (onlyOnce || !worksPerhapsNextTime(refusal.error.code) || attempt >= settings.retries) {
      const state = await recordFailure(course, statement, refusal.error)
      const { message, details } = await migrationFailed(prepared, refusal, state, nextAfter(course))
      throw new LockstepError("L1015", message, details)
    }
    doubt = "refused"
    const { name } = prepared.migration
    const delayMs = backoffMs(attempt)
    const { reason, lockTimeout } = await obstacleOf(client, prepared, refusal, request)
    if (!own) await client.query(lockTimeout)
    onEvent({ event: "retry", name, attempt: attempt + 1, of: settings.retries, delayMs, reason })
    await pause(delayMs, signal, stateAt(course))
  }
}

/** What is committed together with its count is known not to be done. */
async function verdictOn(course: Course, statement: Statement, doubt: Doubt): Promise<Verdict> {
  const { client, request } = course
  if (!isAlone(course, statement)) return "run"
  try {
    await client.query("SET lock_timeout=0")
    const verdict = await cancelledOnSignal(client, request, () => clearTheWay(client, statement, doubt))
    await client.query(`SET lock_timeout=${request.settings.lockTimeout}`)
    return verdict
  } catch (error) {
    const { code, message } = refusalOf(client, error)
    await client.query("ROLLBACK")
    const state = await recordFailure(course, statement, { code, message })
    if (request.signal.aborted) throw interrupted(state)
    throw new LockstepError("L1015", `what the earlier attempt left cannot be cleared away: ${message}`, {
      file: course.prepared.file,
      line: statement.line,
      column: statement.column,
      sqlstate: code,
      state,
      next: nextAfter(course),
      cause: error,
    })
  }
}

const isAlone = ({ prepared }: Course, statement: Statement): boolean =>
  prepared.class === "self-managed" || runsAlone(statement)

async function send(course: Course, statement: Statement): Promise<Refusal | undefined> {
  const { client, prepared, request } = course
  const alone = isAlone(course, statement)
  // Inside of the file's own transaction nothing may come before SET TRANSACTION; the lock was held when it began.
  if (alone && client.getTransactionStatus() === "I") await client.query(lockHeld(lockHolder(client)))
  const unhurried = alone && waitsPolitely(statement) && !setsLockTimeout(prepared.statements)
  if (unhurried) await client.query("SET lock_timeout=0")
  const before = alone ? "" : "BEGIN;"
  const after = alone ? "" : `\n;${countingSql(course, statement)};COMMIT`
  const outcome = await cancelledOnSignal(client, request, () => runCounted(client, [before, statement.text, after]))
  if (!outcome.ok) {
    const error = refusalOf(client, outcome.error)
    return { error, sentBefore: before.length, startsAt: statement.start, statement: statement.index }
  }
  if (!alone) counted(course, statement)
  else if (client.getTransactionStatus() === "I") {
    if (unhurried) await client.query(`SET lock_timeout=${request.settings.lockTimeout}`)
    await refuseInvalid(course, statement)
    await count(course, statement)
  }
  return undefined
}

async function refuseInvalid(course: Course, statement: Statement): Promise<void> {
  const index = await passedOver(course.client, statement)
  if (index === undefined) return
  const { prepared } = course
  const message = `the index ${quoted(index)} is there already, but it is invalid, and IF NOT EXISTS passes over it`
  throw new LockstepError("L1015", message, {
    file: prepared.file,
    line: statement.line,
    column: statement.column,
    state: await recordFailure(course, statement, { code: "42P07", message }),
    next: nextAfter(course),
  })
}

/** After a lost connection, about a statement whose outcome no catalog tells. */
function unclear({ prepared, steps }: Course, statement: Statement): LockstepError {
  const { name } = prepared.migration
  const [first] = statement.text.split("\n", 1)
  return new LockstepError(
    "L1015",
    `the connection was lost while ${first} ran, and nobody can tell whether it is done`,
    {
      file: prepared.file,
      line: statement.line,
      column: statement.column,
      state: `${steps} of ${prepared.statements.length} statements of ${name} are applied for certain; the history holds the failed row.`,
      next: `look whether it is done. If not: lockstep deploy --resume (it runs this statement again); if so, and nothing follows it: lockstep resolve --applied ${name}`,
    },
  )
}
