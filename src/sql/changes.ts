import type { Node, RangeVar } from "libpg-query"
import { type RelationName, relationOf, relationOfObject } from "./relation.js"
import { searchPathSetBy } from "./search-path.js"

/** What a statement changes in what names mean, for the statements after it. */
export type Change =
  | { readonly change: "create"; readonly relation: RelationName; readonly ifNotExists: boolean }
  | { readonly change: "create index"; readonly index: string; readonly table: RelationName }
  | { readonly change: "drop"; readonly relation: RelationName }
  | { readonly change: "move"; readonly from: RelationName; readonly to: RelationName }
  /** Without schemas: back to what it was at first. */
  | { readonly change: "search path"; readonly schemas: readonly string[] | undefined }

/** The relations that a statement creates, drops or renames, and the search path that it sets. */
export function changes(node: Node): readonly Change[] {
  if ("CreateStmt" in node) return create(node.CreateStmt.relation, node.CreateStmt.if_not_exists)
  if ("CreateForeignTableStmt" in node) {
    const { relation, if_not_exists } = node.CreateForeignTableStmt.base ?? {}
    return create(relation, if_not_exists)
  }
  if ("CreateTableAsStmt" in node) {
    return create(node.CreateTableAsStmt.into?.rel, node.CreateTableAsStmt.if_not_exists)
  }
  if ("ViewStmt" in node) return create(node.ViewStmt.view, node.ViewStmt.replace)
  if ("CreateSeqStmt" in node) return create(node.CreateSeqStmt.sequence, node.CreateSeqStmt.if_not_exists)
  if ("IndexStmt" in node) {
    const table = relationOf(node.IndexStmt.relation)
    const { idxname } = node.IndexStmt
    return idxname === undefined || table === undefined ? [] : [{ change: "create index", index: idxname, table }]
  }
  if ("DropStmt" in node) {
    if (!relations.has(node.DropStmt.removeType ?? "")) return []
    const dropped = (node.DropStmt.objects ?? []).flatMap((object) => relationOfObject(object) ?? [])
    return dropped.map((relation) => ({ change: "drop", relation }))
  }
  if ("RenameStmt" in node) {
    const from = relationOf(node.RenameStmt.relation)
    const { renameType, newname } = node.RenameStmt
    if (!relations.has(renameType ?? "") || from === undefined || newname === undefined) return []
    return [{ change: "move", from, to: { ...from, name: newname } }]
  }
  if ("AlterObjectSchemaStmt" in node) {
    const from = relationOf(node.AlterObjectSchemaStmt.relation)
    const schema = node.AlterObjectSchemaStmt.newschema
    if (from === undefined || schema === undefined) return []
    return [{ change: "move", from, to: { schema, name: from.name } }]
  }
  if ("SelectStmt" in node && node.SelectStmt.intoClause) return create(node.SelectStmt.intoClause.rel, false)
  const path = searchPathSetBy(node)
  return path === undefined ? [] : [{ change: "search path", schemas: path === "default" ? undefined : path }]
}

function create(range: RangeVar | undefined, ifNotExists = false): readonly Change[] {
  const relation = relationOf(range)
  return relation === undefined ? [] : [{ change: "create", relation, ifNotExists }]
}

const relations: ReadonlySet<string> = new Set([
  "OBJECT_TABLE",
  "OBJECT_FOREIGN_TABLE",
  "OBJECT_VIEW",
  "OBJECT_MATVIEW",
  "OBJECT_SEQUENCE",
  "OBJECT_INDEX",
])
