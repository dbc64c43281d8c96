import type { Node } from "libpg-query"
import type { Parser } from "./parser.js"
import { relationOfList } from "./relation.js"
import { mentions } from "./tree.js"

interface Piece {
  readonly text: string
  readonly node: Node
}

/** Adds the name of the procedure that a statement creates, where its PL/pgSQL commits or rolls back. */
export function noteProcedure(parser: Parser, { text, node }: Piece, procedures: Set<string>): void {
  if (!("CreateFunctionStmt" in node) || !node.CreateFunctionStmt.is_procedure) return
  const name = relationOfList(node.CreateFunctionStmt.funcname)?.name
  if (name !== undefined && bodyEndsTransaction(parser, text)) procedures.add(name)
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
