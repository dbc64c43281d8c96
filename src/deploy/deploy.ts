import { type Comparison, compare } from "../history/compare.js"
import { noMigrations } from "../history/folder.js"
import { areAsRecorded, isApplied, type RecordedRow, readHistory } from "../history/recorded.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import { prepareSession } from "./apply/session.js"
import { closeDatabase, openDatabase } from "./connect/database.js"
import { limitLockWait, openHistory, whenUnlocked } from "./connect/history.js"
import { takeLock } from "./connect/lock.js"
import {
  confirmSent,
  type DeployContext,
  type DeployRequest,
  type DeployResult,
  newProgress,
  type Progress,
} from "./context.js"
import { type DeployPlan, planDeploy } from "./decide.js"
import {
  ConnectionLost,
  connectionLost,
  historyRefused,
  LockLost,
  lostOr,
  refuseLostCommits,
  transactionTimedOut,
  untouched,
  withProgress,
} from "./failure.js"
import { backoffMs, interrupted, pause } from "./interrupt.js"

/**
 * Applies the pending migrations: waits for the database and for the migration lock, applies each migration exactly
 * once, and reads the history back before it reports success. After a lost connection it starts over from what the
 * history records, under the lock, which an orphaned statement of its own holds until it has ended.
 * Errors: L10xx, L11xx and L12xx, as docs/errors.md lists them.
 */
export async function deploy(request: DeployRequest): Promise<DeployResult> {
  const started = performance.now()
  const progress = newProgress()
  let completed = 0
  for (let attempt = 0; ; attempt++) {
    try {
      const outcome = await deployOnce(request, progress)
      const durationMs = Math.round(performance.now() - started)
      const { applied, adopted } = progress
      const done = { ...outcome, applied, total: request.folder.migrations.length, durationMs }
      return adopted.length > 0 ? { ...done, adopted } : done
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw withProgress(error, progress)
      progress.disconnects++
      progress.unconfirmed = [...progress.sent.values()]
      // An attempt that applied something does not count against the retries.
      if (progress.completed > completed) attempt = 0
      completed = progress.completed
      if (isTransactionTimeout(error)) progress.timeout = error
      await beforeRetry(error, attempt, request).catch((reason) => Promise.reject(withProgress(reason, progress)))
    }
  }
}

/** transaction_timeout ends the session; the same transaction would take as long again, so only the history is read. */
const isTransactionTimeout = ({ cause }: ConnectionLost): boolean => sqlstateOf(cause) === "25P04"

async function beforeRetry(
  error: ConnectionLost,
  attempt: number,
  { settings, signal, onEvent }: DeployRequest,
): Promise<void> {
  if (signal.aborted) throw interrupted(untouched)
  if (attempt >= settings.retries) throw connectionLost(error)
  if (isTransactionTimeout(error)) return
  const isLock = error instanceof LockLost
  const delayMs = isLock ? 0 : backoffMs(attempt)
  const reason = isLock ? `${error.message}; the history is read again` : `the connection was lost: ${error.message}`
  onEvent({ event: "retry", name: undefined, attempt: attempt + 1, of: settings.retries, delayMs, reason })
  await pause(delayMs, signal, untouched)
}

/** What a deploy finds, and leaves, in the history. */
type Outcome = Pick<DeployResult, "appliedMeanwhile" | "ahead" | "recorded" | "edited">

/** A deploy over one connection. Errors: those of deploy(); ConnectionLost. */
async function deployOnce(request: DeployRequest, progress: Progress): Promise<Outcome> {
  const client = await openDatabase(request, progress.disconnects > 0 ? "again" : "first")
  const context = { client, request, progress }
  try {
    return await deployOver(context)
  } catch (error) {
    const reason = lostOr(client, error)
    if (reason instanceof LockLost) await confirmNow(context).catch(() => undefined)
    throw historyRefused(reason)
  } finally {
    await closeDatabase(client)
  }
}

/** After an answer that was a refusal: what the message did before it is in the history. */
async function confirmNow(context: DeployContext): Promise<void> {
  const { client, request, progress } = context
  await client.query("ROLLBACK")
  const recorded = (await readHistory(client, request.url.schema)) ?? []
  // Where another deployer was faster, that is progress as well.
  if (recorded.some((row) => isApplied(row) && progress.sent.has(row.name))) progress.completed++
  confirmSent(context, recorded)
}

async function deployOver(context: DeployContext): Promise<Outcome> {
  const { client, request, progress } = context
  const { url, folder, findDrift, onEvent } = request
  const waitedSince = await takeLock(client, request, { holder: progress.disconnects > 0 ? "own orphan" : "others" })
  const isFirst = waitedSince === undefined && progress.disconnects === 0
  await client.query(limitLockWait)
  const outcome =
    isFirst && (await areAsRecorded(client, url.schema, folder))
      ? nothingToDo(context)
      : await bringUpToDate(context, waitedSince)
  onEvent({ event: "verified", recorded: outcome.recorded, of: folder.migrations.length })
  if (findDrift) {
    const { verifySchema } = await import("./verify/verify.js")
    await client.query("RESET lock_timeout")
    await verifySchema(context, findDrift)
  }
  return outcome
}

function nothingToDo(context: DeployContext): Outcome {
  reportPlan(context, { apply: [], notes: [] })
  return { appliedMeanwhile: 0, ahead: false, recorded: context.request.folder.migrations.length, edited: 0 }
}

async function bringUpToDate(context: DeployContext, waitedSince: string | undefined): Promise<Outcome> {
  const { client, request, progress } = context
  const recorded = await whenUnlocked(context, () => readOrCreateHistory(context))
  const comparison = compare(request.folder.migrations, recorded)
  refuseEmptyFolder(request, comparison)
  const plan = planDeploy(comparison, request.settings, progress.started)
  if (plan.kind === "blocked") {
    const { blockedBy } = await import("./recover/failed-migration.js")
    throw await blockedBy(client, plan)
  }
  reportPlan(context, plan)
  if (plan.apply.length > 0 || comparison.adoptions.length > 0) await getReady(context, recorded)
  const isFirst = recorded.length === 0 && plan.apply.length > 0
  if (isFirst) await request.backfills?.onEmptyHistory(client)
  if (comparison.adoptions.length > 0) {
    const { adoptSquashed } = await import("./adopt.js")
    await adoptSquashed(context, comparison)
  }
  const { length: before } = comparison.applied
  const applied = plan.apply.length > 0 ? await applyAndVerify(context, plan, comparison) : before
  if (isFirst) await request.backfills?.onFirstDeployed(client)
  return {
    appliedMeanwhile: waitedSince === undefined ? 0 : appliedSince(waitedSince, recorded, progress),
    ahead: comparison.ahead,
    recorded: applied,
    edited: comparison.edited.length,
  }
}

/** Once a deploy, also where it starts over. */
async function getReady({ client, request, progress }: DeployContext, recorded: readonly RecordedRow[]): Promise<void> {
  if (!progress.readyToApply) await request.beforeApplying?.(client, recorded)
  progress.readyToApply = true
}

async function readOrCreateHistory(context: DeployContext): Promise<readonly RecordedRow[]> {
  const { client, request, progress } = context
  if (progress.disconnects > 0) {
    refuseLostCommits((await readHistory(client, request.url.schema)) ?? [], progress)
  }
  const recorded = await openHistory(client, request)
  const { unconfirmed } = progress
  confirmSent(context, recorded)
  if (progress.timeout !== undefined) throw transactionTimedOut(progress.timeout, unconfirmed, recorded)
  return recorded
}

/** A database with a history, and a folder without any: the folder is the wrong one. Errors: L1106. */
function refuseEmptyFolder({ folder, settings }: DeployRequest, { all }: Comparison): void {
  if (folder.migrations.length > 0 || all.length === 0 || settings.allowEmpty) return
  throw noMigrations(folder.dir, [
    `The database's history has ${all.length === 1 ? all[0]?.name : `${all.length} migrations`}.`,
  ])
}

type Go = Extract<DeployPlan, { kind: "go" }>

/** Once a deploy, also where it starts over. */
function reportPlan({ request, progress }: DeployContext, { apply, notes }: Pick<Go, "apply" | "notes">): void {
  if (progress.planReported) return
  progress.planReported = true
  const { folder, onEvent } = request
  for (const text of [...folder.remarks, ...notes]) onEvent({ event: "note", text })
  onEvent({ event: "planned", total: folder.migrations.length, pending: apply.map(({ name }) => name) })
}

const appliedSince = (since: string, recorded: readonly RecordedRow[], { started }: Progress): number =>
  recorded.filter(({ id, finishedAt }) => finishedAt !== null && finishedAt >= since && !started.has(id)).length

/** Resolves to how many are applied, read back from the history. */
async function applyAndVerify(context: DeployContext, plan: Go, before: Comparison): Promise<number> {
  const [{ applyAll }, { verifyHistory }] = await Promise.all([
    import("./apply/apply.js"),
    import("./verify/verify.js"),
    import("../sql/parser.js").then(({ loadParser }) => loadParser()),
    prepareSession(context),
  ])
  await applyAll(context, plan, before)
  return await whenUnlocked(context, () => verifyHistory(context, before))
}
