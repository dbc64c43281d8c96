import type pg from "pg"
import { LockstepError } from "../../errors.js"
import type { Client } from "../../postgres/connect.js"
import type { Unparsed } from "../../sql/parse.js"
import { excerpt, placeAt } from "../../sql/place.js"
import type { Prepared } from "./prepare.js"

/**
 * A script that cannot be parsed here as one statement, which PL/pgSQL has the server parse and run: whatever the
 * script holds, it ends neither the statement nor the transaction around it, because EXECUTE refuses every command that
 * does. `id`: random, so that the script cannot contain it.
 * Source: PostgreSQL's documentation, "Executing Dynamic Commands" and "Transaction Management" in the PL/pgSQL chapter.
 */
export function asOneStatement(sql: string, id: string): readonly string[] {
  const tag = `$lockstep_${id.replaceAll("-", "_")}$`
  const inner = tag.replace("$", "$script_")
  // EXECUTE refuses a SELECT INTO at the end.
  return [`DO ${tag}BEGIN EXECUTE ${inner}`, sql, `\n;SELECT 1${inner};END${tag};`]
}

/** L1024 where EXECUTE refused a command of the script's; the same routine refuses COPY from and to the client. */
export function refusedInside({ file, sql, unparsed }: Prepared, error: pg.DatabaseError, state: string) {
  // More lines of context: it was a function's own EXECUTE.
  const isOurs = error.routine === "exec_stmt_dynexecute" && !error.where?.includes("\n")
  if (unparsed === undefined || error.code !== "0A000" || !isOurs) return undefined
  const { line, column, message } = unparsed
  return new LockstepError("L1024", `the file begins or ends a transaction, and Lockstep cannot parse it: ${message}`, {
    file,
    line,
    column,
    excerpt: excerpt(sql, line, column),
    sqlstate: error.code,
    hint: `PostgreSQL reports: ${error.message}\n${appliedWhole}`,
    state,
    next: "remove BEGIN, COMMIT, ROLLBACK, SAVEPOINT and COPY … FROM STDIN from the file, or change what cannot be parsed, then run the same deploy again.",
  })
}

const appliedWhole = "A file that cannot be parsed is applied as a whole, in one transaction with its history row."

/** A hint for a failure in such a script. */
export const unparsedHint = ({ line, column, message }: Unparsed): string =>
  `Lockstep cannot parse this file (${line}:${column}: ${message}). ${appliedWhole}`

/** Whether the session's backslashes escape quotes in plain strings, so that they end elsewhere than the parser assumes. */
export async function backslashEscapes(client: Client): Promise<boolean> {
  const { rows } = await client.query<Record<string, string>>("SHOW standard_conforming_strings")
  return rows[0]?.standard_conforming_strings === "off"
}

/** A script that the server reads with escaping backslashes, as one that cannot be parsed; undefined where it can. */
export function misread(sql: string): Unparsed | undefined {
  const offset = sql.indexOf("\\'")
  if (offset < 0) return undefined
  const { line, column } = placeAt(sql, offset)
  const message = "standard_conforming_strings is off, and a backslash comes before a quote"
  return { kind: "unparsed", message, offset, line, column }
}
