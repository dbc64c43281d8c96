import type { DropStmt, Node } from "libpg-query"
import { quoted, relationOfObject } from "../relation.js"
import { identifiers } from "../tree.js"
import { type Effect, effect } from "./effect.js"
import { dropIndex } from "./index.js"

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
