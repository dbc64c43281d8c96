import { addColumnRules, alterTableRules } from "./rules/alter-table.js"
import { alterColumnRules, constraintRules } from "./rules/column.js"
import { dependentRules, objectRules } from "./rules/object.js"
import { maintenanceRules, rowRules } from "./rules/row.js"
import type { Rule } from "./rules/rule.js"
import { indexRules, tableRules } from "./rules/table.js"

export { type Cost, type LockMode, lockModes, type Rule } from "./rules/rule.js"

/** The rules by subject, in the order of docs/lock-rules.md. Each is measured on a real server by its test. */
export const ruleGroups = {
  "Adding a column": addColumnRules,
  "Changing or dropping a column": alterColumnRules,
  Constraints: constraintRules,
  "Other forms of ALTER TABLE": alterTableRules,
  "Whole tables": tableRules,
  Indexes: indexRules,
  Rows: rowRules,
  Maintenance: maintenanceRules,
  "What belongs to a table": dependentRules,
  "Views and objects that are no tables": objectRules,
}

const byId = {
  ...addColumnRules,
  ...alterColumnRules,
  ...constraintRules,
  ...alterTableRules,
  ...tableRules,
  ...indexRules,
  ...rowRules,
  ...maintenanceRules,
  ...dependentRules,
  ...objectRules,
}

/** Stable names, such as "set-not-null". */
export type RuleId = keyof typeof byId

/** What PostgreSQL does for each kind of statement: lock, rewrite, scan. */
export const rules: Readonly<Record<RuleId, Rule>> = byId
