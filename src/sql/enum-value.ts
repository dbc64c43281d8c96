import type { Statement } from "./parse.js"
import { isSameRelation, type RelationName, relationOfList } from "./relation.js"
import { find } from "./tree.js"

/** An enum value that a script adds and then uses; both statements by their index. */
export interface EarlyUse {
  readonly value: string
  readonly added: number
  readonly used: number
}

/**
 * Looks for an enum value that is added to an existing type and used by a later statement of the same script. PostgreSQL
 * forbids that in one transaction (ALTER TYPE, Notes), unless the script created the type as well.
 */
export class AddedValues {
  readonly #created: RelationName[] = []
  readonly #added: { readonly value: string; readonly index: number }[] = []
  /** The first one found. */
  use: EarlyUse | undefined

  /** Takes the next statement of the script. */
  take(statement: Statement): void {
    const { index, node } = statement
    const added = this.#added.find(({ value }) => mentionsValue(statement, value))
    if (added !== undefined) this.use ??= { value: added.value, added: added.index, used: index }
    if ("CreateEnumStmt" in node) {
      const type = relationOfList(node.CreateEnumStmt.typeName)
      if (type !== undefined) this.#created.push(type)
    }
    if (!("AlterEnumStmt" in node) || node.AlterEnumStmt.oldVal !== undefined) return
    const type = relationOfList(node.AlterEnumStmt.typeName)
    const value = node.AlterEnumStmt.newVal
    if (value === undefined || type === undefined || this.#created.some((each) => isSameRelation(each, type))) return
    this.#added.push({ value, index })
  }
}

/** A false alarm costs the file its one transaction; a miss fails the deploy. So any equal string constant counts. */
function mentionsValue({ node, text: sql }: Statement, value: string): boolean {
  for (const { sval } of find(node, "A_Const")) {
    const text = sval?.sval
    if (text !== undefined && (text === value || (text.startsWith("{") && text.includes(value)))) return true
  }
  const literal = `'${value.replaceAll("'", "''")}'`
  // Its parse tree may not have all of its rows.
  if ("InsertStmt" in node) return sql.includes(literal)
  if (!("DoStmt" in node || "CreateFunctionStmt" in node)) return false
  for (const { sval } of find(node, "String")) if (sval?.includes(literal)) return true
  return false
}
