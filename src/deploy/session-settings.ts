import type { Statement } from "../sql/parse.js"
import { find } from "../sql/tree.js"

/**
 * The statements that only set something for the rest of the session: a migration that is gone on with needs them
 * again, because its first session is gone.
 */
export const settingStatements = (statements: readonly Statement[]): readonly string[] =>
  statements.filter(isSetting).map(({ text }) => text)

function isSetting({ node }: Statement): boolean {
  if ("VariableSetStmt" in node) return node.VariableSetStmt.is_local !== true
  if (!("SelectStmt" in node)) return false
  // As pg_dump writes it: SELECT pg_catalog.set_config('search_path', '', false).
  for (const { funcname } of find(node, "FuncCall")) {
    const last = funcname?.at(-1)
    if (last !== undefined && "String" in last && last.String.sval === "set_config") return true
  }
  return false
}

const known = new WeakMap<readonly Statement[], boolean>()

/** A migration that says itself how long to wait for locks is left to it. Asked for each statement, looked for once. */
export function setsLockTimeout(statements: readonly Statement[]): boolean {
  const sets =
    known.get(statements) ??
    statements.some(({ node }) => "VariableSetStmt" in node && node.VariableSetStmt.name === "lock_timeout")
  known.set(statements, sets)
  return sets
}
