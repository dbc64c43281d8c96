import type { AlterTableCmd, AlterTableStmt, Constraint, Node } from "libpg-query"
import { quoteIdentifier } from "../../postgres/quote.js"
import type { RuleId } from "../rules.js"
import { quoted, type RelationName, relationOf } from "../tree.js"
import { type Effect, effect } from "./effect.js"
import { addedColumn, foreignKey } from "./table.js"

/** ALTER TABLE (also of an index, a view, a sequence or a type, which are parsed to the same tree): its parts in order. */
export function alterTable({ relation, objtype, cmds }: AlterTableStmt): readonly Effect[] {
  const table = relationOf(relation)
  const commands = (cmds ?? []).flatMap((each) => ("AlterTableCmd" in each ? [each.AlterTableCmd] : []))
  switch (objtype) {
    case "OBJECT_INDEX":
      return commands.map((command) => alterIndex(command, table))
    case "OBJECT_TYPE":
      return [effect("alter-type")]
    case "OBJECT_VIEW":
      return [effect("replace-view", { table })]
    case "OBJECT_SEQUENCE":
      return commands.map(() => effect("alter-table", { table }))
    default:
      return commands.flatMap((command) => alterTablePart(command, table))
  }
}

function alterTablePart(command: AlterTableCmd, table: RelationName | undefined): readonly Effect[] {
  const { subtype = "AT_AddColumn", name: column, def } = command
  switch (subtype) {
    case "AT_AddColumn":
      return def !== undefined && "ColumnDef" in def ? addedColumn(def.ColumnDef, table) : []
    case "AT_AddConstraint":
      return def !== undefined && "Constraint" in def ? addedConstraint(def.Constraint, table) : []
    case "AT_DropColumn": {
      const destroys = `column ${[table && quoted(table), column && quoteIdentifier(column)].filter(Boolean).join(".")}`
      return [effect("drop-column", { table, column, destroys })]
    }
    case "AT_AttachPartition":
      return [effect("attach-partition", { table }), effect("attached-partition", { table: partitionOf(def) })]
    case "AT_DetachPartition":
    case "AT_DetachPartitionFinalize": {
      const gently = subtype === "AT_DetachPartitionFinalize" || isConcurrent(def)
      const parent = gently ? "detach-partition-concurrently" : "detach-partition"
      const partition = gently ? "detached-partition-concurrently" : "detach-partition"
      return [effect(parent, { table }), effect(partition, { table: partitionOf(def) })]
    }
    case "AT_DropInherit":
      return [effect("inherit", { table })]
    case "AT_AddInherit": {
      const parent = def !== undefined && "RangeVar" in def ? relationOf(def.RangeVar) : undefined
      return [effect("inherit", { table }), effect("inherit-from", { table: parent })]
    }
    default:
      return [effect(simple.get(subtype) ?? "alter-table", { table, column })]
  }
}

function alterIndex({ subtype }: AlterTableCmd, index: RelationName | undefined): Effect {
  if (subtype === "AT_AttachPartition") return effect("attach-index", { index })
  const gentle = subtype === "AT_SetRelOptions" || subtype === "AT_ResetRelOptions" || subtype === "AT_SetStatistics"
  return effect(gentle ? "alter-index" : subtype === "AT_SetTableSpace" ? "set-tablespace" : "alter-table", { index })
}

function partitionOf(definition: Node | undefined): RelationName | undefined {
  return definition !== undefined && "PartitionCmd" in definition ? relationOf(definition.PartitionCmd.name) : undefined
}

function isConcurrent(definition: Node | undefined): boolean {
  return definition !== undefined && "PartitionCmd" in definition && definition.PartitionCmd.concurrent === true
}

const simple: ReadonlyMap<string, RuleId> = new Map<NonNullable<AlterTableCmd["subtype"]>, RuleId>([
  ["AT_ColumnDefault", "column-default"],
  ["AT_SetNotNull", "set-not-null"],
  ["AT_DropNotNull", "drop-not-null"],
  ["AT_AlterColumnType", "alter-column-type"],
  ["AT_SetExpression", "set-expression"],
  ["AT_DropExpression", "drop-expression"],
  ["AT_AddIdentity", "column-identity"],
  ["AT_SetIdentity", "column-identity"],
  ["AT_DropIdentity", "column-identity"],
  ["AT_SetStatistics", "column-statistics"],
  ["AT_SetOptions", "column-statistics"],
  ["AT_ResetOptions", "column-statistics"],
  ["AT_SetStorage", "column-storage"],
  ["AT_SetCompression", "column-storage"],
  ["AT_ValidateConstraint", "validate-constraint"],
  ["AT_AlterConstraint", "alter-constraint"],
  ["AT_DropConstraint", "drop-constraint"],
  ["AT_SetRelOptions", "storage-parameters"],
  ["AT_ResetRelOptions", "storage-parameters"],
  ["AT_EnableRowSecurity", "row-security"],
  ["AT_DisableRowSecurity", "row-security"],
  ["AT_ForceRowSecurity", "row-security"],
  ["AT_NoForceRowSecurity", "row-security"],
  ["AT_EnableTrig", "switch-trigger"],
  ["AT_EnableAlwaysTrig", "switch-trigger"],
  ["AT_EnableReplicaTrig", "switch-trigger"],
  ["AT_DisableTrig", "switch-trigger"],
  ["AT_EnableTrigAll", "switch-trigger"],
  ["AT_DisableTrigAll", "switch-trigger"],
  ["AT_EnableTrigUser", "switch-trigger"],
  ["AT_DisableTrigUser", "switch-trigger"],
  ["AT_ClusterOn", "cluster-on"],
  ["AT_DropCluster", "cluster-on"],
  ["AT_SetLogged", "set-logged"],
  ["AT_SetUnLogged", "set-logged"],
  ["AT_SetTableSpace", "set-tablespace"],
  ["AT_SetAccessMethod", "set-access-method"],
])

/** ALTER TABLE ... ADD CONSTRAINT. */
function addedConstraint(constraint: Constraint, table: RelationName | undefined): readonly Effect[] {
  if (constraint.contype === "CONSTR_FOREIGN") return foreignKey(constraint, table, "checked")
  return [effect(ruleFor(constraint), { table })]
}

function ruleFor({ contype, indexname, skip_validation, is_enforced }: Constraint): RuleId {
  switch (contype) {
    case "CONSTR_PRIMARY":
      return indexname === undefined ? "add-primary-key" : "add-primary-key-using-index"
    case "CONSTR_UNIQUE":
      return indexname === undefined ? "add-unique" : "add-unique-using-index"
    case "CONSTR_EXCLUSION":
      return "add-unique"
    default:
      if (skip_validation || is_enforced === false) return "add-constraint-not-valid"
      return contype === "CONSTR_NOTNULL" ? "add-not-null" : "add-check"
  }
}
