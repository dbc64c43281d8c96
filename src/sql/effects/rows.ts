import type { DeleteStmt, Node, RangeVar, SelectStmt, UpdateStmt } from "libpg-query"
import { quoted, relationOf } from "../relation.js"
import { find } from "../tree.js"
import { type Effect, effect } from "./effect.js"

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
