import type { AlterPublicationStmt, CommentStmt, CreatePublicationStmt, RenameStmt } from "libpg-query"
import { relationOf, relationOfObject } from "../relation.js"
import { type Effect, effect } from "./effect.js"

/** ALTER ... RENAME. */
export function rename({ renameType, relationType, relation }: RenameStmt): Effect {
  const table = relationOf(relation)
  switch (renameType) {
    case "OBJECT_INDEX":
      return effect("alter-index", { index: table })
    case "OBJECT_TRIGGER":
      return effect("change-trigger", { table })
    case "OBJECT_POLICY":
      return effect("policy", { table })
    case "OBJECT_RULE":
      return effect("rule", { table })
    case "OBJECT_TABLE":
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_FOREIGN_TABLE":
    case "OBJECT_SEQUENCE":
    case "OBJECT_TABCONSTRAINT":
      return effect("rename", { table })
    case "OBJECT_COLUMN":
      return relationType === "OBJECT_TYPE" ? effect("alter-type") : effect("rename", { table })
    default:
      return effect("alter-type")
  }
}

/** COMMENT ON. */
export function comment({ objtype, object }: CommentStmt): Effect {
  switch (objtype) {
    case "OBJECT_TABLE":
    case "OBJECT_VIEW":
    case "OBJECT_MATVIEW":
    case "OBJECT_FOREIGN_TABLE":
    case "OBJECT_SEQUENCE":
      return effect("comment", { table: relationOfObject(object) })
    case "OBJECT_COLUMN":
      return effect("comment", { table: relationOfObject(object, 1) })
    case "OBJECT_INDEX":
      return effect("comment", { index: relationOfObject(object) })
    default:
      return effect("alter-type")
  }
}

/** CREATE or ALTER PUBLICATION: the tables that it names. */
export function publication({ pubobjects }: CreatePublicationStmt | AlterPublicationStmt): readonly Effect[] {
  const tables = (pubobjects ?? []).flatMap((each) => {
    const table = "PublicationObjSpec" in each ? relationOf(each.PublicationObjSpec.pubtable?.relation) : undefined
    return table === undefined ? [] : [effect("publication", { table })]
  })
  return tables.length > 0 ? tables : [effect("create-object")]
}
