import type { Node, RangeVar } from "libpg-query"
import { identifiers, type RelationName, relationOf, relationOfObject } from "./tree.js"

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

/** The schemas that SET search_path or set_config('search_path', ...) names, in order; undefined for other statements. */
function searchPathSetBy(node: Node): readonly string[] | "default" | undefined {
  if ("VariableSetStmt" in node) {
    const { name, kind, args } = node.VariableSetStmt
    if (kind === "VAR_RESET_ALL") return "default"
    if (name !== "search_path") return undefined
    return kind === "VAR_SET_VALUE" ? (args ?? []).flatMap((each) => constant(each) ?? []) : "default"
  }
  if (!("SelectStmt" in node)) return undefined
  for (const target of node.SelectStmt.targetList ?? []) {
    const call = "ResTarget" in target ? target.ResTarget.val : undefined
    if (call === undefined || !("FuncCall" in call)) continue
    const { funcname, args = [] } = call.FuncCall
    const [setting, value] = args.map(constant)
    if (identifiers(funcname).at(-1) !== "set_config" || setting !== "search_path" || value === undefined) continue
    return value.split(",").flatMap((each) => each.trim().replaceAll('"', "") || [])
  }
  return undefined
}

function constant(node: Node): string | undefined {
  return "A_Const" in node ? node.A_Const.sval?.sval : undefined
}
