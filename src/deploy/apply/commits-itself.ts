import type { Statement } from "../../sql/parse.js"
import type { DeployRequest } from "../context.js"
import { type Prepared, statementsOf } from "./prepare.js"
import type { Refusal } from "./refused.js"

/** SQLSTATE invalid_transaction_termination. */
const mayNotCommitHere = "2D000"

/**
 * How to apply a migration after PostgreSQL refused a COMMIT within one of its statements: with that statement outside
 * of a transaction. What a procedure of an earlier migration does, the file does not show. Nothing of the refused
 * transaction is applied. Undefined after any other refusal, and where the statement was outside of one already.
 */
export async function withStatementOutside(
  prepared: Prepared,
  { error, statement: index }: Refusal,
  { onEvent }: Pick<DeployRequest, "onEvent">,
): Promise<Prepared | undefined> {
  if (error.code !== mayNotCommitHere || prepared.class === "self-managed" || prepared.unparsed) return undefined
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
