import pg from "pg"
import { LockstepError, preceded } from "../errors.js"
import { adviceFor, endsSession } from "../postgres/advice.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import { ConnectionLost, LockLost, lostOr } from "./failure.js"
import { backoffMs, interrupted, pause } from "./interrupt.js"
import { type Ledger, newLedger, soFar } from "./ledger.js"
import { closeDatabase, openDatabase } from "./open.js"
import type { DeployRequest, DeployResult } from "./request.js"
import { deployOver, type Outcome } from "./session.js"

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
      ledger.unknown = [...ledger.sent]
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
