import type { LockStmt, Node, VacuumStmt } from "libpg-query"
import { isSet } from "../option.js"
import { type RelationName, relationOf } from "../relation.js"
import { lockModes } from "../rules.js"
import { type Effect, effect } from "./effect.js"

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
