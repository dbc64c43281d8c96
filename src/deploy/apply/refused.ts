import type pg from "pg"
import { LockstepError } from "../../errors.js"
import { notKept } from "../../history/rows.js"
import { adviceFor } from "../../postgres/sqlstate.js"
import { type Statement, statementAt } from "../../sql/parse.js"
import { excerpt, offsetOfPosition, type Place, placeAt } from "../../sql/place.js"
import type { DeployContext, DeployRequest } from "../context.js"
import { type Prepared, statementsOf, unparsedHint } from "./prepare.js"

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
  const { file, migration } = prepared
  return await notKept(client, { schema: url.schema, name: migration.name, file, state })
}

/** SQLSTATE invalid_transaction_termination. */
const mayNotCommitHere = "2D000"

/** SQLSTATE unsafe_new_enum_value_usage. */
const notCommittedYet = "55P04"

/**
 * How to apply a migration after PostgreSQL refused a COMMIT within one of its statements: with that statement outside
 * of a transaction. After it refused an enum value that the file adds to a type of its own, which it takes only since
 * version 17: statement by statement. What a procedure of an earlier migration does, the file does not show. Nothing of the refused
 * transaction is applied. Undefined after any other refusal, and where the statement was outside of one already.
 */
export async function withStatementOutside(
  prepared: Prepared,
  { error, statement: index }: Refusal,
  { onEvent }: Pick<DeployRequest, "onEvent">,
): Promise<Prepared | undefined> {
  if (prepared.class === "self-managed" || prepared.unparsed) return undefined
  if (error.code === notCommittedYet && prepared.class === "transactional") {
    const text = `${prepared.file} uses an enum value that it adds, so it is applied statement by statement`
    onEvent({ event: "note", text })
    return { ...prepared, class: "non-transactional", statements: await statementsOf(prepared.sql) }
  }
  if (error.code !== mayNotCommitHere) return undefined
  const statements = prepared.statements.length > 0 ? prepared.statements : await statementsOf(prepared.sql)
  const refused = statements[index]
  if (refused === undefined || refused.endsTransaction) return undefined
  if (!("CallStmt" in refused.node) && !("DoStmt" in refused.node)) return undefined
  const [what] = refused.text.split("\n", 1)
  const text = `${prepared.file}:${refused.line}: ${what} commits by itself, so it runs outside of a transaction`
  onEvent({ event: "note", text })
  const outside: Statement = { ...refused, endsTransaction: true }
  return { ...prepared, class: "non-transactional", statements: statements.with(index, outside) }
}

/** Whether a statement may have committed a part of itself before it failed. */
export const mayHaveCommitted = (prepared: Prepared, { node, endsTransaction }: Statement): boolean =>
  endsTransaction || (prepared.class === "self-managed" && ("CallStmt" in node || "DoStmt" in node))
