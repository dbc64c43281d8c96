import pg from "pg"
import { LockstepError } from "../errors.js"
import { findingOf } from "../history/rows.js"
import { adviceFor, endsSession } from "../postgres/advice.js"
import { type Client, isBroken } from "../postgres/connect.js"
import { excerpt } from "../sql/excerpt.js"
import { statementAt } from "../sql/parse.js"
import { offsetOfPosition, type Place, placeAt } from "../sql/place.js"
import type { Prepared } from "./prepare.js"
import { unparsedHint } from "./unparsed.js"

/** A statement of a migration that PostgreSQL refused, and what was sent. */
export interface Refusal {
  readonly error: pg.DatabaseError
  /** Where the script, or the statement, begins in the message, in characters. */
  readonly sentBefore: number
  /** Offset of what was sent within the file, in UTF-16 code units. */
  readonly startsAt: number
  /** Index of the statement in the file; past the last: one of ours after it, or COMMIT. */
  readonly statement: number
}

/** The connection went, so that nobody knows yet what became of the last message. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost"
}

/** The session is there, but it does not hold the migration lock any more, so that others may have written. */
export class LockLost extends ConnectionLost {}

/** The history table did not keep a row; the transaction of the migration failed with it. */
export class RowRefused extends Error {
  override readonly name = "RowRefused"
}

/** A connection that broke: ConnectionLost; a check of ours that failed: LockLost, RowRefused; anything else as it is. */
export function lostOr(client: Client, error: unknown): unknown {
  if (error instanceof LockstepError || error instanceof ConnectionLost) return error
  const finding = findingOf(error)
  if (finding === "row") return new RowRefused("the history table did not keep a row", { cause: error })
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

/** L1012 (L1014 for a table's lock), with everything that a person needs: place, excerpt, plain words, state, next. */
export async function migrationFailed(
  prepared: Prepared,
  refusal: Refusal,
  state: string,
  next: string,
): Promise<LockstepError> {
  const { error } = refusal
  const { unparsed } = prepared
  const place = await findPlace(prepared, refusal)
  const hints = [
    place === undefined &&
      unparsed === undefined &&
      "It came at COMMIT: from a deferred constraint or trigger, or from the history table.",
    error.detail && `PostgreSQL's detail: ${error.detail}`,
    error.hint && `PostgreSQL hints: ${error.hint}`,
    adviceFor(error.code),
    error.where && unparsed === undefined && `in: ${error.where.split("\n")[0]}`,
    unparsed && error.code !== syntaxError && unparsedHint(unparsed),
  ]
  return new LockstepError(error.code === "55P03" ? "L1014" : "L1012", error.message, {
    file: prepared.file,
    line: place?.line,
    column: place?.column,
    excerpt: place && excerpt(prepared.sql, place.line, place.column),
    sqlstate: error.code,
    hint: hints.filter(Boolean).join("\n") || undefined,
    state,
    next,
    cause: error,
  })
}

/** The server's own verdict on what cannot be parsed. */
const syntaxError = "42601"

async function findPlace(
  { sql, unparsed }: Prepared,
  { error, sentBefore, startsAt, statement }: Refusal,
): Promise<Pick<Place, "line" | "column"> | undefined> {
  if (unparsed !== undefined) {
    // A long query is cut as it arrives; another one is that of a function.
    const inScript = error.internalQuery?.startsWith(sql.slice(0, 1000))
    return inScript && error.internalPosition !== undefined
      ? placeAt(sql, offsetOfPosition(sql, Number(error.internalPosition)))
      : undefined
  }
  if (error.position !== undefined) {
    const sent = sql.slice(startsAt)
    const position = Number(error.position) - sentBefore
    const offset = offsetOfPosition(sent, position)
    if (position > 0 && offset <= sent.length) return placeAt(sql, startsAt + offset)
  }
  return await statementAt(sql, statement)
}
