import type { Constraint, CreateStmt, DropStmt, IndexStmt, Node, ReindexStmt } from "libpg-query"
import { identifiers, isSet, quoted, relationOf, relationOfObject } from "../tree.js"
import { constraintsOf, foreignKey } from "./column.js"
import { type Effect, effect } from "./effect.js"

/** CREATE TABLE: the new table, the parents that it hangs on, and the tables that its foreign keys reference. */
export function createTable({ relation, inhRelations, partbound, tableElts }: CreateStmt): readonly Effect[] {
  const parents = (inhRelations ?? []).flatMap((each) => ("RangeVar" in each ? [relationOf(each.RangeVar)] : []))
  const keys = (tableElts ?? []).flatMap((element): readonly Constraint[] => {
    if ("Constraint" in element) return [element.Constraint]
    return "ColumnDef" in element ? constraintsOf(element.ColumnDef) : []
  })
  return [
    effect("create-table", { table: relationOf(relation) }),
    ...parents.map((table) => effect(partbound === undefined ? "create-child" : "create-partition", { table })),
    ...keys
      .filter(({ contype }) => contype === "CONSTR_FOREIGN")
      .flatMap((key) => foreignKey(key, undefined, "not checked")),
  ]
}

/** DROP of anything but databases, roles, tablespaces and subscriptions, which have statements of their own. */
export function drop(statement: DropStmt): readonly Effect[] {
  const { removeType, objects = [], behavior } = statement
  const cascades = behavior === "DROP_CASCADE"
  switch (removeType) {
    case "OBJECT_INDEX":
      return dropIndex(statement)
    case "OBJECT_TABLE":
    case "OBJECT_FOREIGN_TABLE":
      return objects.map((object) => {
        const table = relationOfObject(object)
        return effect("drop-table", { table, destroys: table === undefined ? "a table" : `table ${quoted(table)}` })
      })
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_SEQUENCE":
      return objects.map((object) => effect("drop-view", { table: relationOfObject(object) }))
    case "OBJECT_TRIGGER":
      return objects.map((object) => effect("change-trigger", { table: relationOfObject(object, 1) }))
    case "OBJECT_POLICY":
      return objects.map((object) => effect("policy", { table: relationOfObject(object, 1) }))
    case "OBJECT_RULE":
      return objects.map((object) => effect("rule", { table: relationOfObject(object, 1) }))
    case "OBJECT_SCHEMA":
      if (!cascades) return [effect("drop-object")]
      return [effect("unknown", { destroys: `what is in schema ${objects.map(nameOf).join(", ")}` })]
    default:
      if (!cascades) return [effect("drop-object")]
      return [effect("unknown", { destroys: `what depends on ${objects.map(nameOf).join(", ")}, columns included` })]
  }
}

function nameOf(object: Node): string {
  const list = "List" in object ? object.List.items : "TypeName" in object ? object.TypeName.names : [object]
  const function_ = "ObjectWithArgs" in object ? object.ObjectWithArgs.objname : undefined
  return identifiers(function_ ?? list)
    .map((part) => `"${part}"`)
    .join(".")
}

/** CREATE INDEX. */
export function createIndex({ relation, concurrent }: IndexStmt): Effect {
  return effect(concurrent ? "create-index-concurrently" : "create-index", { table: relationOf(relation) })
}

/** DROP INDEX: one effect an index. */
function dropIndex({ objects, concurrent }: DropStmt): readonly Effect[] {
  const id = concurrent ? "drop-index-concurrently" : "drop-index"
  return (objects ?? []).map((object) => effect(id, { index: relationOfObject(object) }))
}

/** REINDEX. */
export function reindex({ kind, relation, params }: ReindexStmt): Effect {
  const target = relationOf(relation)
  const what = kind === "REINDEX_OBJECT_INDEX" ? { index: target } : { table: target }
  if (isSet(params, "concurrently", false)) return effect("reindex-concurrently", what)
  if (kind === "REINDEX_OBJECT_INDEX") return effect("reindex-index", what)
  return effect(kind === "REINDEX_OBJECT_TABLE" ? "reindex-table" : "reindex-many", what)
}
