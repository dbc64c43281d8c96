import pg from "pg"
import { LockstepError, preceded } from "../errors.js"
import { type Comparison, compare } from "../history/compare.js"
import { noMigrations } from "../history/folder.js"
import { areAsRecorded, type RecordedRow, readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { adviceFor, endsSession, sqlstateOf } from "../postgres/sqlstate.js"
import { endWithDeployer, freshSettings } from "./apply/session.js"
import { closeDatabase, openDatabase } from "./connect/database.js"
import { openHistory, refuseLostCommits, timedOut } from "./connect/history.js"
import { takeLock } from "./connect/lock.js"
import { type DeployRequest, type DeployResult, type Ledger, newLedger, settle, soFar } from "./context.js"
import { type DeployPlan, planDeploy } from "./decide.js"
import { ConnectionLost, LockLost, lostOr } from "./failure.js"
import { backoffMs, interrupted, pause } from "./interrupt.js"

/**
 * Applies what is pending, guarded: waits for the database and for the migration lock, applies each migration exactly
 * once whatever breaks meanwhile, and reads the history back before it says that it worked.
 * A lost connection is mended by starting over from what the history says, under the lock: an orphaned statement
 * holds the lock until its outcome is settled.
 * Errors: L10xx, L11xx and L12xx, as docs/errors.md lists them.
 */
export async function deploy(request: DeployRequest): Promise<DeployResult> {
  const started = performance.now()
  const ledger = newLedger()
  let moves = 0
  for (let attempt = 0; ; attempt++) {
    try {
      const outcome = await deployOnce(request, ledger)
      const durationMs = Math.round(performance.now() - started)
      return { ...outcome, applied: ledger.applied, total: request.folder.migrations.length, durationMs }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw withState(error, ledger)
      ledger.losses++
      ledger.unknown = [...ledger.sent.values()]
      if (ledger.moves > moves) attempt = 0
      moves = ledger.moves
      await beforeNextAttempt(error, attempt, ledger, request).catch((reason) => {
        throw withState(reason, ledger)
      })
    }
  }
}

async function beforeNextAttempt(
  error: ConnectionLost,
  attempt: number,
  ledger: Ledger,
  { settings, signal, onEvent }: DeployRequest,
): Promise<void> {
  if (signal.aborted) throw interrupted(untouched)
  if (attempt >= settings.retries) throw lost(error)
  if (sqlstateOf(error.cause) === transactionTimeout) {
    ledger.end = error
    return
  }
  const isLock = error instanceof LockLost
  const delayMs = isLock ? 0 : backoffMs(attempt)
  const reason = isLock ? `${error.message}; the history is read anew` : `the connection was lost: ${error.message}`
  onEvent({ event: "retry", name: undefined, attempt: attempt + 1, of: settings.retries, delayMs, reason })
  await pause(delayMs, signal, untouched)
}

/** As far as is known without the ledger. */
const untouched = "nothing was touched."

function withState(error: unknown, ledger: Ledger): unknown {
  const done = soFar(ledger)
  return done === undefined ? error : preceded(error, done)
}

/** transaction_timeout ends the session; the same transaction would take as long again. */
const transactionTimeout = "25P04"

async function deployOnce(request: DeployRequest, ledger: Ledger): Promise<Outcome> {
  const client = await openDatabase(request, ledger.losses > 0 ? "again" : "first")
  try {
    return await deployOver(client, request, ledger)
  } catch (error) {
    throw explained(lostOr(client, error))
  } finally {
    await closeDatabase(client)
  }
}

/** What PostgreSQL refused of our own statements: they all read or write the history. */
const explained = (error: unknown): unknown =>
  error instanceof pg.DatabaseError
    ? new LockstepError("L1017", error.message, {
        sqlstate: error.code,
        hint: [error.detail, error.hint, adviceFor(error.code)].filter(Boolean).join("\n") || undefined,
        state: "what the history says stands: pnpm db:status shows it.",
        next: "mend the cause, then run the same deploy again",
        cause: error,
      })
    : error

const lost = (error: ConnectionLost): LockstepError =>
  error instanceof LockLost
    ? lockLost(error)
    : new LockstepError("L1016", `the connection was lost: ${error.message}`, {
        sqlstate: sqlstateOf(error.cause),
        hint: endsSession(error.cause) ? "The server ended the session." : undefined,
        state: untouched,
        next: "look into the server's log, then deploy again",
        cause: error,
      })

const lockLost = (cause: LockLost): LockstepError =>
  new LockstepError("L1016", "the migration lock was lost again and again", {
    hint: "A pooler may give the statements to several server connections, or something on the server releases the lock.",
    state: untouched,
    next: "deploy to the database's direct address",
    cause,
  })

/** What a deploy finds, and leaves, in the history. */
type Outcome = Pick<DeployResult, "appliedMeanwhile" | "ahead" | "recorded" | "edited">

type Work = Extract<DeployPlan, { kind: "go" }>

/** A deploy over one connection, under the migration lock. Errors: those of deploy(); ConnectionLost. */
async function deployOver(client: Client, request: DeployRequest, ledger: Ledger): Promise<Outcome> {
  const { url, folder, onEvent } = request
  const waitedSince = await takeLock(client, request, ledger.losses > 0 ? "own orphan" : "others")
  const isFirst = waitedSince === undefined && ledger.losses === 0
  const outcome =
    isFirst && (await areAsRecorded(client, url.schema, folder))
      ? nothingToDo(request, ledger)
      : await bringUpToDate(client, request, ledger, waitedSince)
  onEvent({ event: "verified", recorded: outcome.recorded, of: folder.migrations.length })
  if (request.findDrift) {
    const { verifySchema } = await import("./verify/schema.js")
    await verifySchema(client, request, request.findDrift)
  }
  return outcome
}

function nothingToDo(request: DeployRequest, ledger: Ledger): Outcome {
  tell({ apply: [], notes: [] }, request, ledger)
  return { appliedMeanwhile: 0, ahead: false, recorded: request.folder.migrations.length, edited: 0 }
}

async function bringUpToDate(
  client: Client,
  request: DeployRequest,
  ledger: Ledger,
  waitedSince: string | undefined,
): Promise<Outcome> {
  if (ledger.losses > 0) refuseLostCommits((await readHistory(client, request.url.schema)) ?? [], ledger)
  const recorded = await openHistory(client, request)
  const { unknown } = ledger
  settle(ledger, recorded, request)
  if (ledger.end !== undefined) throw timedOut(ledger.end, unknown, recorded)
  const comparison = compare(request.folder.migrations, recorded)
  refuseEmpty(request, comparison)
  const plan = planDeploy(comparison, request.settings, ledger.begun)
  if (plan.kind === "blocked") {
    const { blockedBy } = await import("./recover/failed-migration.js")
    throw await blockedBy(client, plan)
  }
  tell(plan, request, ledger)
  const { length: before } = comparison.applied
  return {
    appliedMeanwhile: waitedSince === undefined ? 0 : appliedSince(waitedSince, recorded, ledger),
    ahead: comparison.ahead,
    recorded: plan.apply.length > 0 ? await apply(client, plan, comparison, request, ledger) : before,
    edited: comparison.edited.length,
  }
}

/** A database with a history, and a folder without any: the folder is the wrong one. Errors: L1106. */
function refuseEmpty({ folder, settings }: DeployRequest, { all }: Comparison): void {
  if (folder.migrations.length > 0 || all.length === 0 || settings.allowEmpty) return
  throw noMigrations(folder.dir, [
    `The database's history has ${all.length === 1 ? all[0]?.name : `${all.length} migrations`}.`,
  ])
}

function tell(
  { apply, notes }: Pick<Work, "apply" | "notes">,
  { folder, onEvent }: DeployRequest,
  ledger: Ledger,
): void {
  if (ledger.told) return
  ledger.told = true
  for (const text of [...folder.remarks, ...notes]) onEvent({ event: "note", text })
  onEvent({ event: "planned", total: folder.migrations.length, pending: apply.map(({ name }) => name) })
}

const appliedSince = (since: string, recorded: readonly RecordedRow[], { begun }: Ledger): number =>
  recorded.filter(({ id, finishedAt }) => finishedAt !== null && finishedAt >= since && !begun.has(id)).length

/** Resolves to how many are applied, read back from the history. */
async function apply(
  client: Client,
  { apply: migrations, resume }: Work,
  comparison: Comparison,
  request: DeployRequest,
  ledger: Ledger,
): Promise<number> {
  const [{ applyAll }, { verifyHistory }, { resumeAt }] = await Promise.all([
    import("./apply/apply.js"),
    import("./verify/history.js"),
    import("./recover/resume.js"),
    import("../sql/parser.js").then(({ loadParser }) => loadParser()),
    endWithDeployer(client).then(() => client.query(freshSettings(client, request))),
  ])
  const from = resume && ((prepared: Parameters<typeof resumeAt>[0]) => resumeAt(prepared, resume))
  const attempted = new Set(comparison.pending.flatMap(({ name, rolledBack }) => (rolledBack ? [name] : [])))
  const work = { migrations, resume: from, attempted, before: comparison.applied.length }
  await applyAll(client, work, request, ledger)
  return await verifyHistory(client, request, comparison)
}
