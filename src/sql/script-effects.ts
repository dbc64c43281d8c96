import type { Node } from "libpg-query"
import { type Effect, effect } from "./effects/effect.js"
import { effects } from "./effects.js"
import type { Script } from "./parse.js"
import { isSameRelation, type RelationName } from "./relation.js"

/**
 * The effects of each statement, in order, knowing those before it: a table that the script itself creates is new and
 * nobody else uses it, so what is done to it later needs no planning and is left out.
 */
export function scriptEffects({ statements }: Script): readonly (readonly Effect[])[] {
  const created: RelationName[] = []
  const isNew = (table: RelationName) => created.some((each) => isSameRelation(each, table))
  return statements.map(({ node }) => {
    const all = knowingNew(effects(node), isNew)
    const planned = all.filter(({ table }) => table === undefined || !isNew(table))
    if (!mayExist(node)) created.push(...all.flatMap(({ rule, table }) => (makes.has(rule) ? (table ?? []) : [])))
    return planned
  })
}

/** A statement's effects, where a foreign key of a new table has no rows to look up in the table that it references. */
export function knowingNew(all: readonly Effect[], isNew: (table: RelationName) => boolean): readonly Effect[] {
  const ownerIsNew = all.some(({ rule, table }) => rule === "add-foreign-key" && table !== undefined && isNew(table))
  return ownerIsNew ? all.map(unchecked) : all
}

const makes: ReadonlySet<Effect["rule"]> = new Set(["create-table", "create-table-as"])

function mayExist(node: Node): boolean {
  if ("CreateStmt" in node) return node.CreateStmt.if_not_exists === true
  return "CreateTableAsStmt" in node && node.CreateTableAsStmt.if_not_exists === true
}

function unchecked(each: Effect): Effect {
  return each.rule === "referenced-by-foreign-key" ? effect("referenced-by-new-column", { table: each.table }) : each
}
