import type { Constraint, CreateStmt } from "libpg-query"
import { relationOf } from "../relation.js"
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
    ...keys.filter(({ contype }) => contype === "CONSTR_FOREIGN").flatMap((key) => foreignKey(key, undefined, false)),
  ]
}
