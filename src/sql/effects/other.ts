import type {
  AlterPublicationStmt,
  CommentStmt,
  CreatePublicationStmt,
  DeleteStmt,
  LockStmt,
  Node,
  RangeVar,
  RenameStmt,
  SelectStmt,
  UpdateStmt,
  VacuumStmt,
} from "libpg-query"
import { quoteIdentifier } from "../../postgres/quote.js"

import { lockModes } from "../rules.js"
import { find, isSet, kindOf, quoted, type RelationName, relationOf, relationOfObject } from "../tree.js"
import { type Effect, effect } from "./effect.js"

/** Statements about one relation that they name in a field of their own. */
export function ofOneRelation(node: Node): Effect | undefined {
  if ("CreateTrigStmt" in node) return effect("create-trigger", { table: relationOf(node.CreateTrigStmt.relation) })
  if ("CreatePolicyStmt" in node) return effect("policy", { table: relationOf(node.CreatePolicyStmt.table) })
  if ("AlterPolicyStmt" in node) return effect("policy", { table: relationOf(node.AlterPolicyStmt.table) })
  if ("RuleStmt" in node) return effect("rule", { table: relationOf(node.RuleStmt.relation) })
  if ("AlterSeqStmt" in node) return effect("sequence", { table: relationOf(node.AlterSeqStmt.sequence) })
  if ("ClusterStmt" in node) return effect("cluster", { table: relationOf(node.ClusterStmt.relation) })
  if ("RefreshMatViewStmt" in node) {
    const { relation, concurrent } = node.RefreshMatViewStmt
    const id = concurrent ? "refresh-materialized-view-concurrently" : "refresh-materialized-view"
    return effect(id, { table: relationOf(relation) })
  }
  if ("ViewStmt" in node && node.ViewStmt.replace)
    return effect("replace-view", { table: relationOf(node.ViewStmt.view) })
  if ("AlterObjectSchemaStmt" in node) {
    const table = relationOf(node.AlterObjectSchemaStmt.relation)
    return table === undefined ? effect("alter-type") : effect("set-schema", { table })
  }
  if ("CopyStmt" in node && node.CopyStmt.is_from)
    return effect("insert", { table: relationOf(node.CopyStmt.relation) })
  const made = madeByQuery(node)
  return made === undefined ? undefined : effect("create-table-as", { table: made })
}

/** The new relation of CREATE TABLE AS, CREATE MATERIALIZED VIEW and SELECT INTO. */
function madeByQuery(node: Node): RelationName | undefined {
  if ("CreateTableAsStmt" in node) return relationOf(node.CreateTableAsStmt.into?.rel)
  return "SelectStmt" in node ? relationOf(node.SelectStmt.intoClause?.rel) : undefined
}

/** Statements whose effect their code decides, or that concern no table. */
export function ofNoRelation(node: Node): Effect | undefined {
  if ("DoStmt" in node || "CallStmt" in node || "ExecuteStmt" in node) return effect("unknown")
  if ("DropOwnedStmt" in node) return effect("unknown", { destroys: "what the role owns" })
  if ("DropdbStmt" in node) {
    return effect("unknown", { destroys: `database ${quoteIdentifier(node.DropdbStmt.dbname ?? "")}` })
  }
  if ("AlterDomainStmt" in node) return alterDomain(node)
  const kind = kindOf(node)
  if (/^(Create|Define|Grant|View|Composite|AlterDefaultPrivileges|SecLabel|ImportForeign)/.test(kind)) {
    return effect("create-object")
  }
  if (/^Alter/.test(kind)) return effect("alter-type")
  return kind.startsWith("Drop") ? effect("drop-object") : undefined
}

/** Only what existing values must satisfy reads the tables that use the domain; the parse tree has letters for that. */
function alterDomain({ AlterDomainStmt: { subtype = "", def } }: Extract<Node, { AlterDomainStmt: unknown }>): Effect {
  const unchecked = def !== undefined && "Constraint" in def && def.Constraint.skip_validation === true
  return effect("COV".includes(subtype) && !unchecked ? "alter-domain" : "alter-type")
}

/** VACUUM and ANALYZE; without names, of every table. */
export function vacuum({ rels, options, is_vacuumcmd }: VacuumStmt): readonly Effect[] {
  const id = !is_vacuumcmd ? "analyze" : isSet(options, "full", false) ? "vacuum-full" : "vacuum"
  if (rels === undefined) return [effect(id)]
  return rels.map((each) => {
    const table = "VacuumRelation" in each ? relationOf(each.VacuumRelation.relation) : undefined
    return effect(id, { table })
  })
}

/** LOCK TABLE, in the mode that it names. */
export function lockTable({ relations, mode = lockModes.length }: LockStmt): readonly Effect[] {
  return rangesOf(relations).map((table) => effect("lock-table", { table, lock: lockModes[mode - 1] }))
}

/** The relations that a list of RangeVar nodes names. */
export function rangesOf(list: readonly Node[] | undefined): readonly RelationName[] {
  return (list ?? []).flatMap((each) => ("RangeVar" in each ? (relationOf(each.RangeVar) ?? []) : []))
}

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

/** Every INSERT, UPDATE, DELETE and MERGE in a statement, those in its WITH clauses included. */
export function rowEffects(node: Node): readonly Effect[] {
  return [
    ...Array.from(find(node, "InsertStmt"), ({ relation }) => written("insert", relation)),
    ...Array.from(find(node, "UpdateStmt"), update),
    ...Array.from(find(node, "DeleteStmt"), remove),
    ...Array.from(find(node, "MergeStmt"), ({ relation }) => written("merge", relation)),
    ...Array.from(find(node, "SelectStmt")).flatMap(lockedRows),
  ]
}

function written(id: "insert" | "merge", relation: RangeVar | undefined): Effect {
  return effect(id, { table: relationOf(relation) })
}

function update({ relation, whereClause }: UpdateStmt): Effect {
  return effect(whereClause === undefined ? "update-all" : "update-some", { table: relationOf(relation) })
}

function remove({ relation, whereClause }: DeleteStmt): Effect {
  const table = relationOf(relation)
  const name = table === undefined ? "the table" : quoted(table)
  if (whereClause === undefined) return effect("delete-all", { table, destroys: `the rows of ${name}` })
  return effect("delete-some", { table, destroys: `the matching rows of ${name}` })
}

/** FOR UPDATE and its like, on the tables named there or on all of the FROM clause. */
function lockedRows({ lockingClause, fromClause }: SelectStmt): readonly Effect[] {
  if (lockingClause === undefined) return []
  return [...find(fromClause, "RangeVar")].map((range) => effect("select-for-update", { table: relationOf(range) }))
}
