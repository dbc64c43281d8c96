import pg from "pg"
import { LockstepError } from "../errors.js"
import { historyTable } from "../history/recorded.js"
import { findingOf } from "../history/rows.js"
import { type Client, isBroken } from "../postgres/connect.js"
import { adviceFor, endsSession } from "../postgres/sqlstate.js"
import { statementAt } from "../sql/parse.js"
import { excerpt, offsetOfPosition, type Place, placeAt } from "../sql/place.js"
import type { Prepared } from "./apply/prepare.js"
import { unparsedHint } from "./apply/unparsed.js"
import type { DeployRequest } from "./context.js"

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

/** What can keep a row out of a table, or from being seen there. */
const query = `SELECT format('the trigger %I', tgname) AS what FROM pg_trigger
    WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D'
  UNION ALL SELECT format('the rule %I', rulename) FROM pg_rewrite WHERE ev_class = to_regclass($1)
  UNION ALL SELECT format('the row-level security policy %I', polname) FROM pg_policy WHERE polrelid = to_regclass($1)
  UNION ALL SELECT 'row-level security' FROM pg_class c WHERE oid = to_regclass($1) AND relrowsecurity
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)`

/**
 * L1018: the history table took a row and does not show it, so that the next deploy would apply the migration again.
 * Ends the transaction. `state`: the database's, after that.
 */
export async function rowRefused(
  client: Client,
  prepared: Prepared,
  { url }: Pick<DeployRequest, "url">,
  state: string,
): Promise<LockstepError> {
  await client.query("ROLLBACK")
  const table = historyTable(url.schema)
  const { rows } = await client.query<{ what: string }>({ text: query, values: [table] })
  const found = rows.map(({ what }) => what).join(", ")
  return new LockstepError("L1018", `the history table does not keep the row of ${prepared.migration.name}`, {
    file: prepared.file,
    hint: found
      ? `On ${table} there is: ${found}.`
      : `${table} has no trigger, rule or policy now: the migration itself makes what keeps the row out.`,
    state,
    next: found
      ? "drop what keeps the row out or hides it from this role, then run the same deploy again"
      : "fix the file, then run the same deploy again.",
  })
}
