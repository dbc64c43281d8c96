import type pg from "pg"
import { LockstepError } from "../../errors.js"
import { historyTable } from "../../history/recorded.js"
import { findRowFilters } from "../../history/rows.js"
import { adviceFor } from "../../postgres/sqlstate.js"

import { statementAt } from "../../sql/parse.js"
import { excerpt, offsetOfPosition, type Place, placeAt } from "../../sql/place.js"
import type { DeployContext } from "../context.js"
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

/** The state and the next command for the error of a refused migration. */
export interface Outcome {
  readonly state: string
  readonly next: string
}

/** L1012 (L1014 for a lock timeout), with the place in the file, an excerpt, advice, state and next command. */
export async function migrationFailed(
  prepared: Prepared,
  refusal: Refusal,
  { state, next }: Outcome,
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

/** What the server reports for a script that it cannot parse either. */
const syntaxError = "42601"

async function findPlace(
  { sql, unparsed }: Prepared,
  { error, sentBefore, startsAt, statement }: Refusal,
): Promise<Pick<Place, "line" | "column"> | undefined> {
  if (unparsed !== undefined) {
    // A long query is cut as it arrives; any other query is that of a function.
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

/**
 * L1018: the history table took a row and does not show it, so that the next deploy would apply the migration again.
 * Ends the transaction. `state`: the database's, after that.
 */
export async function rowRefused(
  { client, request: { url } }: Pick<DeployContext, "client" | "request">,
  prepared: Prepared,
  state: string,
): Promise<LockstepError> {
  await client.query("ROLLBACK")
  const table = historyTable(url.schema)
  const found = await findRowFilters(client, url.schema)
  return new LockstepError("L1018", `the history table does not keep the row of ${prepared.migration.name}`, {
    file: prepared.file,
    hint:
      found.length > 0
        ? `${table} has ${found.join(", ")}.`
        : `${table} has no trigger, rule or policy now: the migration itself makes what keeps the row out.`,
    state,
    next:
      found.length > 0
        ? "drop what keeps the row out or hides it from this role, then run the same deploy again"
        : "fix the file, then run the same deploy again.",
  })
}
