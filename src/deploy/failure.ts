import pg from "pg"
import { LockstepError, preceded } from "../errors.js"
import { hasFailed, isApplied, type RecordedRow } from "../history/recorded.js"
import { findingOf } from "../history/rows.js"
import { type Client, isBroken } from "../postgres/connect.js"
import { adviceFor, endsSession, sqlstateOf } from "../postgres/sqlstate.js"
import type { Prepared } from "./apply/prepare.js"
import { appliedSoFar, type Progress } from "./context.js"

/** The connection was lost, so that the outcome of the last message is not known yet. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost"
}

/** The session still exists, but it lost the migration lock, so that others may have written. */
export class LockLost extends ConnectionLost {}

/** The history has a row of a migration that was about to be recorded: another deployer's, or one that the file writes. */
export class RecordedTwice extends LockLost {}

/** The history table did not keep a row; the transaction of the migration failed with it. */
export class RowRefused extends Error {
  override readonly name = "RowRefused"
}

/** A connection that broke: ConnectionLost; a check of ours that failed: LockLost, RowRefused; anything else as it is. */
export function lostOr(client: Client, error: unknown): unknown {
  if (error instanceof LockstepError || error instanceof ConnectionLost) return error
  const finding = findingOf(error)
  if (finding === "row") return new RowRefused("the history table did not keep a row", { cause: error })
  if (finding === "twice") return new RecordedTwice("a migration is already recorded as applied", { cause: error })
  if (finding !== undefined) return new LockLost("this session lost the migration lock", { cause: error })
  if (!isBroken(client) && !endsSession(error)) return error
  return new ConnectionLost(error instanceof Error ? error.message : String(error), { cause: error })
}

/** What PostgreSQL refused; whatever else went wrong is thrown. */
export function refusalOf(client: Client, error: unknown): pg.DatabaseError {
  const reason = lostOr(client, error)
  if (reason instanceof pg.DatabaseError) return reason
  throw reason
}

/** L1017 for what PostgreSQL refused of our own statements, which all read or write the history; any other as it is. */
export const historyRefused = (error: unknown): unknown =>
  error instanceof pg.DatabaseError
    ? new LockstepError("L1017", error.message, {
        sqlstate: error.code,
        hint: [error.detail, error.hint, adviceFor(error.code)].filter(Boolean).join("\n") || undefined,
        state: "what the history records is applied: `lockstep status` shows it.",
        next: "fix the cause, then run the same deploy again",
        cause: error,
      })
    : error

/** When nothing is tried again. Errors: L1016; L1018 the history gets a row of a migration that others did not apply. */
export function connectionLost(error: ConnectionLost): LockstepError {
  if (error instanceof RecordedTwice) return recordedTwice(error)
  if (error instanceof LockLost) return lockLost(error)
  return new LockstepError("L1016", `the connection was lost: ${error.message}`, {
    sqlstate: sqlstateOf(error.cause),
    hint: endsSession(error.cause) ? "The server ended the session." : undefined,
    state: untouched,
    next: "check the server's log, then deploy again",
    cause: error,
  })
}

const lockLost = (cause: LockLost): LockstepError =>
  new LockstepError("L1016", "the migration lock was lost several times", {
    hint: "A pooler may give the statements to several server connections, or something on the server releases the lock: a migration does where it calls pg_advisory_unlock_all(), which cannot be made good under REPEATABLE READ or SERIALIZABLE.",
    state: untouched,
    next: "deploy to the database's direct address; where a migration releases the lock, remove that from the file",
    cause,
  })

const recordedTwice = (cause: RecordedTwice): LockstepError =>
  new LockstepError("L1018", "the history gets a second row of a migration while it is applied", {
    hint: "The file itself, or a trigger, writes a row to the history.",
    state: untouched,
    next: "remove what writes it, then run the same deploy again",
    cause,
  })

/** The database's state where nothing was applied; withProgress() replaces it where something was. */
export const untouched = "nothing was touched."

/** The same error with what the deploy has applied so far in its state. */
export function withProgress(error: unknown, progress: Progress): unknown {
  const done = appliedSoFar(progress)
  return done === undefined ? error : preceded(error, done)
}

/**
 * What the server confirmed as committed must still be recorded after a lost connection. Where it is not, this is
 * another server, or a standby that lagged behind: whether to migrate that, a person has to decide. Errors: L1032.
 */
export function refuseLostCommits(recorded: readonly RecordedRow[], progress: Progress): void {
  const kept = new Set(recorded.filter(isApplied).map(({ name }) => name))
  const gone = progress.applied.filter((name) => !kept.has(name))
  if (gone.length === 0) return
  progress.applied.splice(0, Infinity, ...progress.applied.filter((name) => kept.has(name)))
  const [first] = gone
  const what = gone.length === 1 ? first : `${gone.length} migrations (the first is ${first})`
  throw new LockstepError(
    "L1032",
    `the server had confirmed ${what}, which its history no longer has after a lost connection`,
    {
      hint: `${gone.join("\n")}\nThe primary has failed over to a standby that lagged behind, or this is another server.`,
      state: "what is listed above is no longer in this database.",
      next: "make sure that this is the primary, and that it has what other clients wrote; then run the same deploy again, which applies them again",
    },
  )
}

/**
 * L1012: transaction_timeout ends the session, and the same transaction would take as long again. `sent`: what had
 * no answer when the connection was lost.
 */
export function transactionTimedOut(
  loss: ConnectionLost,
  sent: readonly Prepared[],
  recorded: readonly RecordedRow[],
): LockstepError {
  const rows = (wanted: (row: RecordedRow) => boolean) => new Set(recorded.filter(wanted).map(({ name }) => name))
  const applied = rows(isApplied)
  const ended = sent.find(({ migration }) => !applied.has(migration.name))
  const name = ended?.migration.name ?? "a statement"
  const stepwise = rows(hasFailed).has(name)
  return new LockstepError("L1012", `transaction_timeout ended the session while ${name} ran`, {
    file: ended?.file,
    sqlstate: sqlstateOf(loss.cause),
    state: stepwise
      ? `${name} is applied in part; its row in the history counts the statements.`
      : `nothing of ${name} was applied or recorded.`,
    next: `raise transaction_timeout for this role or database (ALTER ROLE … SET transaction_timeout = …), then ${
      stepwise ? "`lockstep deploy --resume`" : "run the same deploy again"
    }`,
    cause: loss,
  })
}
