import type { Node } from "libpg-query"
import { isSet, type RelationName, relationOf, relationOfObject } from "./tree.js"

/** What a CONCURRENTLY statement works on, so that what an interrupted one left behind can be found. */
export type Resumable =
  | {
      readonly kind: "create index"
      /** Absent where PostgreSQL chooses the name. Its schema is the table's. */
      readonly index?: RelationName
      readonly table: RelationName
      readonly unique: boolean
      readonly ifNotExists: boolean
    }
  | { readonly kind: "drop index"; readonly indexes: readonly RelationName[] }
  /** Leaves indexes behind whose names end in `_ccnew` or `_ccold`; without a target it works on many tables. */
  | { readonly kind: "reindex"; readonly of: "index" | "table" | "many"; readonly target?: RelationName }
  /** Is finished by ALTER TABLE ... DETACH PARTITION ... FINALIZE. */
  | { readonly kind: "detach partition"; readonly table: RelationName; readonly partition: RelationName }

/** What an interrupted statement may leave half-done; undefined where it is all or nothing. */
export function resumable(node: Node): Resumable | undefined {
  if ("IndexStmt" in node && node.IndexStmt.concurrent) {
    const { idxname, relation, unique = false, if_not_exists: ifNotExists = false } = node.IndexStmt
    const table = relationOf(relation)
    if (table === undefined) return undefined
    const index = idxname === undefined ? {} : { index: { ...table, name: idxname } }
    return { kind: "create index", ...index, table, unique, ifNotExists }
  }
  if ("DropStmt" in node && node.DropStmt.concurrent) {
    const indexes = (node.DropStmt.objects ?? []).flatMap((object) => relationOfObject(object) ?? [])
    return { kind: "drop index", indexes }
  }
  if ("ReindexStmt" in node && isSet(node.ReindexStmt.params, "concurrently", false)) {
    const { kind, relation } = node.ReindexStmt
    const target = relationOf(relation)
    if (target === undefined) return { kind: "reindex", of: "many" }
    return { kind: "reindex", of: kind === "REINDEX_OBJECT_INDEX" ? "index" : "table", target }
  }
  if ("AlterTableStmt" in node) return detachedConcurrently(node)
  return undefined
}

function detachedConcurrently(node: Extract<Node, { AlterTableStmt: unknown }>): Resumable | undefined {
  const table = relationOf(node.AlterTableStmt.relation)
  for (const command of node.AlterTableStmt.cmds ?? []) {
    const definition = "AlterTableCmd" in command ? command.AlterTableCmd.def : undefined
    if (definition === undefined || !("PartitionCmd" in definition)) continue
    const partition = relationOf(definition.PartitionCmd.name)
    if (definition.PartitionCmd.concurrent && table !== undefined && partition !== undefined) {
      return { kind: "detach partition", table, partition }
    }
  }
  return undefined
}
