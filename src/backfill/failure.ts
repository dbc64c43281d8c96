import type pg from "pg"
import { LockstepError } from "../errors.js"
import { adviceFor, isRetryable, remedyFor } from "../postgres/sqlstate.js"
import { excerpt, offsetOfPosition, placeAt } from "../sql/place.js"
import { quoted } from "../sql/tree.js"
import type { Backfill } from "./file.js"
import { offsetInText } from "./statement.js"

/** The state of a database after so many rows in so many batches. */
export const doneSoFar = ({ rows, batches }: { readonly rows: number; readonly batches: number }): string =>
  batches === 0
    ? "no row was changed."
    : `${rows.toLocaleString("en-US")} ${rows === 1 ? "row is" : "rows are"} changed, in ${batches.toLocaleString("en-US")} ${batches === 1 ? "batch" : "batches"} that ${batches === 1 ? "is" : "are"} committed and recorded; the others are as they were.`

/** What was sent when PostgreSQL refused it. */
export interface Sent {
  /** What stood before the statement in the message. */
  readonly before: string
  /** The message. */
  readonly message: string
  /** The range's condition in the statement. */
  readonly condition: string
}

/** L2107: the statement failed, with its place in the file; L1014: it timed out waiting for a lock. */
export function statementFailed(
  backfill: Backfill,
  error: pg.DatabaseError,
  {
    done,
    sent,
    holders,
  }: { readonly done: string; readonly sent: Sent | undefined; readonly holders: readonly string[] },
): LockstepError {
  const { name, file, text, statement } = backfill
  const facts = { file, sqlstate: error.code, state: done, cause: error }
  if (error.code === "55P03")
    return new LockstepError(
      "L1014",
      `the backfill ${name} timed out waiting for a lock on rows or on ${quoted(statement.table)}`,
      {
        ...facts,
        hint: holders.length > 0 ? `The table is locked by ${holders.join("; ")}.` : undefined,
        next: "run the same command again: it continues where it stopped; or raise --lock-timeout",
      },
    )
  const place = sent === undefined ? undefined : placeOf(backfill, error, sent)
  const where = place ?? placeAt(text, statement.start)
  return new LockstepError("L2107", error.message, {
    ...facts,
    ...{ line: where.line, column: where.column, excerpt: excerpt(text, where.line, where.column) },
    hint: [error.detail, error.hint, adviceFor(error.code)].filter(Boolean).join("\n") || undefined,
    next: isRetryable(error.code)
      ? "run the same command again: it continues where it stopped"
      : remedyFor(error.code) === undefined
        ? "correct the rows, then run the same command again: it continues where it stopped; or correct the file, and run it with --resume-edited or --restart"
        : `${remedyFor(error.code)}, then run the same command again: it continues where it stopped`,
  })
}

function placeOf({ text, statement }: Backfill, { position }: pg.DatabaseError, { before, message, condition }: Sent) {
  if (position === undefined) return undefined
  const offset = offsetOfPosition(message, Number(position)) - before.length
  return offset < 0 ? undefined : placeAt(text, statement.start + offsetInText(statement, condition, offset))
}
