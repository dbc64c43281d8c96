import type { Constraint } from "libpg-query"
import type { RelationName } from "../relation.js"
import type { RuleId } from "../rules.js"
import { foreignKey } from "./column.js"
import { type Effect, effect } from "./effect.js"

/** ALTER TABLE ... ADD CONSTRAINT. */
export function addedConstraint(constraint: Constraint, table: RelationName | undefined): readonly Effect[] {
  if (constraint.contype === "CONSTR_FOREIGN") return foreignKey(constraint, table, true)
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
