import type { ColumnDef, Constraint } from "libpg-query"
import { type RelationName, relationOf } from "../relation.js"
import type { RuleId } from "../rules.js"
import { identifiers } from "../tree.js"
import { type Effect, effect } from "./effect.js"
import { volatility } from "./volatility.js"

/** ALTER TABLE ... ADD COLUMN: one effect for each thing that costs, or one instant one. */
export function addedColumn(column: ColumnDef, table: RelationName | undefined): readonly Effect[] {
  const constraints = constraintsOf(column)
  const costs: RuleId[] = []

  const filled = filling(column, constraints)
  if (filled !== undefined) costs.push(filled)
  const has = (...types: readonly Constraint["contype"][]) => constraints.some(({ contype }) => types.includes(contype))
  if (has("CONSTR_NOTNULL") && filled === undefined) costs.push("add-column-not-null")
  if (has("CONSTR_UNIQUE", "CONSTR_PRIMARY")) costs.push("add-column-unique")
  if (has("CONSTR_CHECK") && !has("CONSTR_ATTR_NOT_ENFORCED")) costs.push("add-column-check")
  if (costs.length === 0) costs.push("add-column")

  const checked = filled !== undefined && filled !== "add-column-generated-virtual"
  return [
    ...costs.map((id) => effect(id, { table, column: column.colname })),
    ...constraints
      .filter(({ contype }) => contype === "CONSTR_FOREIGN")
      .flatMap((key) => foreignKey(key, table, checked)),
  ]
}

/** The rule that says how existing rows get the new column's value; none where it is simply null. */
function filling(column: ColumnDef, constraints: readonly Constraint[]): RuleId | undefined {
  if (/^(small|big)?serial[248]?$/.test(identifiers(column.typeName?.names).at(-1) ?? "")) return "add-column-serial"
  for (const { contype, generated_kind, raw_expr } of constraints) {
    if (contype === "CONSTR_IDENTITY") return "add-column-identity"
    if (contype === "CONSTR_GENERATED") {
      return generated_kind === "v" ? "add-column-generated-virtual" : "add-column-generated-stored"
    }
    if (contype === "CONSTR_DEFAULT" && raw_expr !== undefined) {
      const kind = volatility(raw_expr)
      if (kind === "volatile") return "add-column-volatile-default"
      return kind === "depends" ? "add-column-function-default" : "add-column-constant-default"
    }
  }
  return undefined
}

/** A new foreign key: its own table, where that existed before, and the one that it references. */
export function foreignKey(key: Constraint, table: RelationName | undefined, checked: boolean): readonly Effect[] {
  const scans = checked && key.is_enforced !== false && key.skip_validation !== true
  const own = table === undefined ? [] : [effect(scans ? "add-foreign-key" : "add-foreign-key-not-valid", { table })]
  const referenced = { table: relationOf(key.pktable) }
  return [...own, effect(scans ? "referenced-by-foreign-key" : "referenced-by-new-column", referenced)]
}

/** The constraints written with a column. */
export function constraintsOf(column: ColumnDef): readonly Constraint[] {
  return (column.constraints ?? []).flatMap((each) => ("Constraint" in each ? [each.Constraint] : []))
}
