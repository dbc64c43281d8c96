import { LockstepError } from "../../errors.js"
import { lockHolder } from "../../history/lock.js"
import { finishRow, lockHeld, lockTransaction, startedRow } from "../../history/rows.js"
import { runCounted } from "../../postgres/counted.js"
import { isRetryable } from "../../postgres/sqlstate.js"
import { runsAlone } from "../../sql/classify.js"
import type { Statement } from "../../sql/parse.js"
import { quoted } from "../../sql/tree.js"
import { type DeployContext, startMigration } from "../context.js"
import { lostOr, RowRefused, refusalOf } from "../failure.js"
import { backoffMs, cancelledOnSignal, interrupted, pause, throwIfInterrupted } from "../interrupt.js"
import { passedOver } from "../recover/invalid-indexes.js"
import {
  type EarlierAttempt,
  type ResumePoint,
  recoverStatement,
  stepsLog,
  type Verdict,
  waitsWithoutBlocking,
} from "../recover/resume.js"
import type { Prepared } from "./prepare.js"
import { mayHaveCommitted, migrationFailed, type Refusal, rowRefused, withStatementOutside } from "./refused.js"
import { autovacuumLockTimeout, obstacleOf } from "./retry.js"
import { discardAll, freshSettings, hasDefaultLockTimeout, settingStatements, withLockTimeout } from "./session.js"
import {
  beginReadWrite,
  count,
  counted,
  countingSql,
  nextAfter,
  recordFailure,
  rowKey,
  type StepwiseRun,
  stateAt,
} from "./stepwise-run.js"
import { opening } from "./transactional.js"

/** What earlier deploys did with a migration. */
export interface Earlier {
  /** Where it is resumed; undefined where it starts at its beginning. */
  readonly resume: ResumePoint | undefined
  /** Whether an attempt was marked as rolled back, whose invalid indexes may still exist. */
  readonly rolledBack: boolean
}

/**
 * Applies a migration statement by statement, counting in its history row. Statements that PostgreSQL allows in a
 * transaction commit together with their count.
 * Resolves to the duration in milliseconds. Errors: L1015 a statement was refused, L1001 interrupted; ConnectionLost.
 */
export async function applyStepwise(context: DeployContext, prepared: Prepared, earlier: Earlier): Promise<number> {
  const begun = performance.now()
  const { resume } = earlier
  const id = resume?.id ?? startMigration(context.progress, prepared)
  const run: StepwiseRun = { ...context, prepared, id, steps: resume?.steps ?? 0 }
  const explain = async (error: unknown, state: string): Promise<never> => {
    throw lostOr(run.client, error) instanceof RowRefused ? await rowRefused(run, prepared, state) : error
  }
  await begin(run, resume).catch((error) => explain(error, "nothing of this migration was applied or recorded."))
  await applyStatements(run, earlier).catch((error) =>
    explain(error, `${stateAt(run)} Whether the statement after them is applied is not known.`),
  )
  return Math.round(performance.now() - begun)
}

async function begin(run: StepwiseRun, resume: ResumePoint | undefined): Promise<void> {
  const { client, prepared } = run
  await client.query(opening(client).join(";"))
  if (resume !== undefined) return
  await client.query(
    `${beginReadWrite}${startedRow(rowKey(run), prepared.migration, stepsLog(prepared.statements, 0))};COMMIT`,
  )
}

async function applyStatements(run: StepwiseRun, { resume, rolledBack }: Earlier): Promise<void> {
  const { client, prepared, request } = run
  const { statements } = prepared
  for (const sql of settingStatements(statements.slice(0, run.steps))) await client.query(sql)
  for (const statement of statements.slice(run.steps)) {
    throwIfInterrupted(request.signal, stateAt(run))
    const isNext = statement.index === resume?.steps
    await applyStatement(run, statement, {
      attempt: isNext ? resume.next : rolledBack ? "refused" : undefined,
      unattended: isNext && resume.cause === "lost connection",
    })
  }
  await client.query(`${beginReadWrite}${freshSettings(run)}${finishRow(rowKey(run), prepared.migration)};COMMIT`)
}

/** What is known of an earlier attempt at a statement. */
export interface Before {
  /** Undefined where there was none. */
  readonly attempt: EarlierAttempt | undefined
  /** Whether nobody has looked at what that one left. */
  readonly unattended: boolean
}

/**
 * Applies one statement and counts it, again after a lock timeout, a deadlock or a serialization failure, unless it may
 * have committed a part of itself; outside of a transaction where it turns out to commit.
 * Errors: L1015, L1001; ConnectionLost.
 */
export async function applyStatement(run: StepwiseRun, statement: Statement, before: Before): Promise<void> {
  const { client, prepared, request, progress, id } = run
  const { settings, signal, onEvent } = request
  let earlier = before.attempt
  let afterAutovacuum = false
  for (let attempt = 0; ; attempt++) {
    const verdict = earlier === undefined ? "run" : await recover(run, statement, earlier)
    if (verdict === "done") return await count(run, statement)
    if (verdict === "unknown" && before.unattended) throw outcomeUnknown(run, statement)
    const refusal = afterAutovacuum
      ? await withLockTimeout(client, autovacuumLockTimeout, () => send(run, statement))
      : await send(run, statement)
    if (refusal === undefined) return
    if (signal.aborted) throw interrupted(await recordFailure(run, statement, refusal.error))
    const outside = await withStatementOutside(prepared, refusal, request)
    if (outside) {
      run.prepared = outside
      progress.started.set(id, outside)
      const again = outside.statements[statement.index] ?? statement
      return await applyStatement(run, again, { attempt: undefined, unattended: false })
    }
    const onlyOnce = prepared.class === "self-managed" || mayHaveCommitted(prepared, statement)
    if (onlyOnce || !isRetryable(refusal.error.code) || attempt >= settings.retries) {
      const state = await recordFailure(run, statement, refusal.error)
      const { message, details } = await migrationFailed(prepared, refusal, { state, next: nextAfter(run) })
      throw new LockstepError("L1015", message, details)
    }
    earlier = "refused"
    const { name } = prepared.migration
    const delayMs = backoffMs(attempt)
    const { reason, autovacuum } = await obstacleOf(client, prepared, refusal)
    afterAutovacuum = autovacuum && (await hasDefaultLockTimeout(run))
    onEvent({ event: "retry", name, attempt: attempt + 1, of: settings.retries, delayMs, reason })
    await pause(delayMs, signal, stateAt(run))
  }
}

/** A statement that commits together with its count is known not to be done. */
async function recover(run: StepwiseRun, statement: Statement, earlier: EarlierAttempt): Promise<Verdict> {
  if (!isAlone(run, statement)) return "run"
  const { client, request } = run
  try {
    return await withLockTimeout(client, "'0'", () =>
      cancelledOnSignal(run, () => recoverStatement(client, statement, earlier)),
    )
  } catch (error) {
    const { code, message } = refusalOf(client, error)
    await client.query("ROLLBACK")
    const state = await recordFailure(run, statement, { code, message })
    if (request.signal.aborted) throw interrupted(state)
    throw new LockstepError("L1015", `what the earlier attempt left behind cannot be removed: ${message}`, {
      file: run.prepared.file,
      line: statement.line,
      column: statement.column,
      sqlstate: code,
      state,
      next: nextAfter(run),
      cause: error,
    })
  }
}

const isAlone = ({ prepared }: StepwiseRun, statement: Statement): boolean =>
  prepared.class === "self-managed" || runsAlone(statement)

/** Sends a statement once and counts it. Resolves to why it was refused, after a ROLLBACK; undefined where it is done. */
async function send(run: StepwiseRun, statement: Statement): Promise<Refusal | undefined> {
  return isAlone(run, statement) ? await sendAlone(run, statement) : await sendWithCount(run, statement)
}

async function sendWithCount(run: StepwiseRun, statement: Statement): Promise<Refusal | undefined> {
  // Nothing may come before SET TRANSACTION.
  const lock = "VariableSetStmt" in statement.node ? "" : `${lockTransaction(lockHolder(run.client))};`
  const after = `\n;${countingSql(run, statement)};COMMIT`
  const refusal = await runMessage(run, statement, [`${beginReadWrite}${lock}`, statement.text, after])
  if (refusal === undefined) counted(run, statement)
  return refusal
}

async function sendAlone(run: StepwiseRun, statement: Statement): Promise<Refusal | undefined> {
  const { client } = run
  // Inside of the file's own transaction nothing may come before SET TRANSACTION; the lock was held when it began.
  const isOutside = client.getTransactionStatus() === "I"
  const text = isOutside && isDiscardAll(statement) ? discardAll : statement.text
  const runs = () => runMessage(run, statement, ["", text])
  if (isOutside) await client.query(lockHeld(lockHolder(client)))
  const mayWait = isOutside && waitsWithoutBlocking(statement) && (await hasDefaultLockTimeout(run))
  const refusal = mayWait ? await withLockTimeout(client, "'0'", runs) : await runs()
  // Within the file's own transaction nothing is counted before its COMMIT.
  if (refusal !== undefined || client.getTransactionStatus() !== "I") return refusal
  await refuseInvalid(run, statement)
  await count(run, statement)
  return undefined
}

async function runMessage(
  run: StepwiseRun,
  statement: Statement,
  message: readonly [string, ...string[]],
): Promise<Refusal | undefined> {
  const { client } = run
  const outcome = await cancelledOnSignal(run, () => runCounted(client, message))
  if (outcome.ok) return undefined
  const error = refusalOf(client, outcome.error)
  await client.query("ROLLBACK")
  return { error, sentBefore: message[0].length, startsAt: statement.start, statement: statement.index }
}

const isDiscardAll = ({ node }: Statement): boolean =>
  "DiscardStmt" in node && node.DiscardStmt.target === "DISCARD_ALL"

async function refuseInvalid(run: StepwiseRun, statement: Statement): Promise<void> {
  const index = await passedOver(run.client, statement)
  if (index === undefined) return
  const message = `the index ${quoted(index)} already exists, but it is invalid, and IF NOT EXISTS passes over it`
  throw new LockstepError("L1015", message, {
    file: run.prepared.file,
    line: statement.line,
    column: statement.column,
    state: await recordFailure(run, statement, { code: "42P07", message }),
    next: nextAfter(run),
  })
}

/** After a lost connection, about a statement whose outcome the catalog does not show. */
function outcomeUnknown({ prepared, steps }: StepwiseRun, statement: Statement): LockstepError {
  const { name } = prepared.migration
  const [first] = statement.text.split("\n", 1)
  return new LockstepError("L1015", `the connection was lost while ${first} ran, and whether it is done is not known`, {
    file: prepared.file,
    line: statement.line,
    column: statement.column,
    state: `${steps} of ${prepared.statements.length} statements of ${name} are known to be applied; the history holds the failed row.`,
    next: `check whether it is done. If not: \`lockstep deploy --resume\` (it runs this statement again); if so, and nothing follows it: \`lockstep resolve --applied ${name}\``,
  })
}
