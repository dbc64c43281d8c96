import { LockstepError } from "../errors.js"
import { compare } from "../history/compare.js"
import type { Client } from "../postgres/connect.js"
import { cancelOnSignal } from "./cancel.js"
import { ConnectionLost } from "./failure.js"
import { backoffMs, interrupted, pause } from "./interrupt.js"
import { takeLock } from "./lock.js"
import { openDatabase } from "./open.js"
import { planDeploy } from "./plan.js"
import { openHistory } from "./prepare-history.js"
import type { DeployRequest, DeployResult } from "./request.js"
import { freshSession } from "./script.js"

/**
 * Applies what is pending, guarded: waits for the database and for the migration lock, applies each migration exactly
 * once whatever breaks meanwhile, and reads the history back before it says that it worked.
 * A lost connection is mended by starting over from what the history says, under the lock: an orphaned statement
 * holds the lock until its outcome is settled.
 * Errors: L10xx, L11xx and L12xx, as docs/errors.md lists them.
 */
export async function deploy(request: DeployRequest): Promise<DeployResult> {
  const started = performance.now()
  refuseEmpty(request)
  const applied: string[] = []
  for (let attempt = 0; ; attempt++) {
    try {
      const outcome = await deployOnce(request, applied, attempt > 0)
      return {
        ...outcome,
        applied,
        total: request.folder.migrations.length,
        durationMs: Math.round(performance.now() - started),
      }
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      const state = `the outcome of the last statement is not known here; the history decides. Applied by this deploy: ${applied.length}.`
      if (request.signal.aborted) throw interrupted(state)
      const { retries } = request.settings
      if (attempt >= retries) throw lost(error, state)
      const delayMs = backoffMs(attempt)
      request.onEvent({
        event: "retry",
        name: undefined,
        attempt: attempt + 1,
        of: retries,
        delayMs,
        reason: `the connection was lost: ${error.message}`,
      })
      await pause(delayMs, request.signal, state)
    }
  }
}

async function deployOnce(
  request: DeployRequest,
  applied: string[],
  again: boolean,
): Promise<Pick<DeployResult, "appliedMeanwhile" | "ahead">> {
  const client = await openDatabase(request)
  const stopListening = cancelOnSignal(client, request)
  try {
    return await deployOver(client, request, applied, again)
  } catch (error) {
    throw isBroken(client, error)
      ? new ConnectionLost(error instanceof Error ? error.message : String(error), { cause: error })
      : error
  } finally {
    stopListening()
    await client.end().catch(() => undefined)
  }
}

async function deployOver(client: Client, request: DeployRequest, applied: string[], again: boolean) {
  const { url, folder, settings, onEvent } = request
  const waitedSince = await takeLock(client, request)
  await client.query(freshSession(url.schema, settings.lockTimeout))
  const recorded = await openHistory(client, request)
  const comparison = compare(folder.migrations, recorded)
  const { apply, resume, notes } = planDeploy(comparison, again ? { ...settings, resume: true } : settings)
  if (!again) for (const text of [...folder.remarks, ...notes]) onEvent({ event: "note", text })
  const migrations = resume?.migration ? [resume.migration, ...apply] : apply
  if (!again)
    onEvent({ event: "planned", total: folder.migrations.length, pending: migrations.map(({ name }) => name) })
  if (migrations.length > 0) {
    const { applyAll } = await import("./apply.js")
    const progress = resume && { id: resume.row.id, steps: resume.row.steps }
    await applyAll(
      client,
      { migrations, progress, before: comparison.applied.length - applied.length },
      request,
      applied,
    )
    const { proveHistory } = await import("./prove.js")
    onEvent({ event: "proved", recorded: await proveHistory(client, request), of: folder.migrations.length })
  } else onEvent({ event: "proved", recorded: comparison.applied.length, of: folder.migrations.length })
  const meanwhile = recorded.filter(({ finishedAt }) => finishedAt && waitedSince && finishedAt >= waitedSince)
  return { appliedMeanwhile: meanwhile.length, ahead: comparison.ahead }
}

/** A connection that broke under a query rejects it with an error of the driver's, not of the server's. */
const isBroken = (client: Client, error: unknown): boolean =>
  !(error instanceof LockstepError) && !(error instanceof ConnectionLost) && client.getTransactionStatus() !== "I"

function refuseEmpty({ folder, settings, onEvent }: DeployRequest): void {
  if (folder.migrations.length > 0) return
  const text = `there are no migrations in ${folder.dir}`
  if (!settings.expectMigrations) {
    onEvent({ event: "note", text })
    return
  }
  throw new LockstepError("L1106", text, {
    state: "nothing was touched.",
    next: "correct --migrations, or the image that holds them",
  })
}

const lost = (error: ConnectionLost, state: string): LockstepError =>
  new LockstepError("L1016", `the connection was lost again and again: ${error.message}`, {
    state,
    next: "look into the server's log, then deploy again",
    cause: error,
  })
