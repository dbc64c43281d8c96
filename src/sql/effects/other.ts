import type { Node } from "libpg-query"
import { quotedIdentifier, type RelationName, relationOf } from "../relation.js"
import { kindOf } from "../tree.js"
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
    return effect("unknown", { destroys: `database ${quotedIdentifier(node.DropdbStmt.dbname ?? "")}` })
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
