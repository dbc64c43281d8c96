import type { Script, Statement } from "./parse.js"
import { isSameRelation, type RelationName, relationOfList } from "./relation.js"
import { find } from "./tree.js"

/** An enum value that a script adds and then uses; both statements by their index. */
export interface EarlyUse {
  readonly value: string
  readonly added: number
  readonly used: number
}

/**
 * The first enum value that is added to an existing type and used by a later statement of the same script. PostgreSQL
 * forbids that in one transaction (ALTER TYPE, Notes), unless the script created the type as well.
 */
export function usesAddedValue({ statements }: Script): EarlyUse | undefined {
  const created: RelationName[] = []
  for (const { index, node } of statements) {
    if ("CreateEnumStmt" in node) {
      const type = relationOfList(node.CreateEnumStmt.typeName)
      if (type !== undefined) created.push(type)
    }
    if (!("AlterEnumStmt" in node) || node.AlterEnumStmt.oldVal !== undefined) continue
    const type = relationOfList(node.AlterEnumStmt.typeName)
    const value = node.AlterEnumStmt.newVal
    if (value === undefined || type === undefined || created.some((each) => isSameRelation(each, type))) continue
    const used = statements.slice(index + 1).find((later) => mentionsValue(later, value))
    if (used !== undefined) return { value, added: index, used: used.index }
  }
  return undefined
}

/** A false alarm costs the file its one transaction; a miss fails the deploy. So any equal string constant counts. */
function mentionsValue({ node }: Statement, value: string): boolean {
  for (const { sval } of find(node, "A_Const")) {
    const text = sval?.sval
    if (text !== undefined && (text === value || (text.startsWith("{") && text.includes(value)))) return true
  }
  if (!("DoStmt" in node || "CreateFunctionStmt" in node)) return false
  const literal = `'${value.replaceAll("'", "''")}'`
  for (const { sval } of find(node, "String")) if (sval?.includes(literal)) return true
  return false
}
