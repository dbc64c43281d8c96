import type { Node } from "libpg-query"
import type { Parser } from "./parser.js"
import { relationOfList } from "./relation.js"
import { mentions } from "./tree.js"

interface Piece {
  readonly text: string
  readonly node: Node
}

/** Names of the procedures that these statements create and whose PL/pgSQL commits or rolls back. */
export function transactionEndingProcedures(parser: Parser, statements: readonly Piece[]): ReadonlySet<string> {
  const names = statements.flatMap(({ text, node }) => {
    if (!("CreateFunctionStmt" in node) || !node.CreateFunctionStmt.is_procedure) return []
    const name = relationOfList(node.CreateFunctionStmt.funcname)?.name
    return name !== undefined && bodyEndsTransaction(parser, text) ? [name] : []
  })
  return new Set(names)
}

/**
 * Whether a statement ends transactions itself, which PostgreSQL allows only outside a transaction block
 * (PL/pgSQL chapter "Transaction Management"). What a procedure of an earlier migration does cannot be known here.
 */
export function endsTransaction(parser: Parser, { text, node }: Piece, procedures: ReadonlySet<string>): boolean {
  if ("DoStmt" in node) return bodyEndsTransaction(parser, text)
  if (!("CallStmt" in node)) return false
  return procedures.has(relationOfList(node.CallStmt.funccall?.funcname)?.name ?? "")
}

function bodyEndsTransaction(parser: Parser, text: string): boolean {
  return /commit|rollback/i.test(text) && mentions(parser.parsePlPgSql(text), commands)
}

const commands = ["PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"]
