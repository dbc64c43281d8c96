import type { ColumnDef, Node } from "libpg-query"
import { castOf } from "../sql/casts.js"
import { type Effect, effects } from "../sql/effects.js"
import type { Statement } from "../sql/parse.js"
import { find, identifiers, quoted, type RelationName } from "../sql/tree.js"
import { typeChanges } from "../sql/types.js"
import type { Known } from "./estimate.js"
import { type CatalogFacts, columnKey } from "./facts.js"
import { cascadeLoss, castLoss } from "./losses.js"
import { unknownWork, type Work, waitsFor } from "./planned.js"

/**
 * What the rules leave out and the catalog shows, and what neither does: then it is said to be unknown. An estimate never
 * passes for harmless what it cannot see.
 */
export function uncertain(statement: Statement, known: Known): readonly Work[] {
  const { node } = statement
  return [...otherEnds(node, known), ...reasons(statement, known).map((why) => unknownWork(why))]
}

/** What other tables a statement locks: at the other end of foreign keys that are dropped or reach on, default partitions. */
function otherEnds(node: Node, { facts, tables }: Known): readonly Work[] {
  const works: Work[] = []
  for (const { table, rule } of effects(node)) {
    if (table === undefined) continue
    const locked = facts.foreignKeys.filter(
      ({ name, from }) =>
        from === table.name && (rule === "drop-table" || (rule === "drop-constraint" && dropped(node).includes(name))),
    )
    for (const { to } of locked) if (to !== table.name) works.push(lockedWith({ name: to }, "drop-constraint"))
    const besides = facts.defaultPartitions.get(table.name)
    if (besides !== undefined && besidesDefault.has(rule)) works.push(defaultPartition({ name: besides }, rule))
    if (rule === "delete-all" || rule === "delete-some") works.push(...reached(table.name, new Set()))
  }
  return works

  function lockedWith(relation: RelationName, rule: "drop-constraint"): Work {
    return {
      ...{ rules: [rule], lock: "ACCESS EXCLUSIVE", waits: waitsFor("ACCESS EXCLUSIVE"), until: "end of migration" },
      ...{ held: undefined, table: quoted(relation), target: tables.target(relation), rewrites: false, scans: false },
      ...{ writes: [], costs: ["instant"], destroys: [], fails: [], unknown: [], safer: [] },
    }
  }

  function defaultPartition(relation: RelationName, rule: Effect["rule"]): Work {
    const locked = { ...lockedWith(relation, "drop-constraint"), rules: [rule] }
    return rule === "detach-partition" ? locked : { ...locked, scans: true, costs: ["full scan under the lock"] }
  }

  function reached(from: string, seen: Set<string>): readonly Work[] {
    return facts.foreignKeys.flatMap(({ name, from: table, to, onDelete }) => {
      if (to !== from || seen.has(name) || !"cnd".includes(onDelete)) return []
      seen.add(name)
      const relation = { name: table }
      const deletes = onDelete === "c"
      const work: Work = {
        ...lockedWith(relation, "drop-constraint"),
        ...{ rules: [], lock: "ROW EXCLUSIVE", waits: "nobody" },
        ...{ writes: [deletes ? "delete" : "update"], costs: ["writes the matching rows"] },
        destroys: [cascadeLoss(quoted(relation), name, deletes ? "delete" : "update")],
      }
      return [work, ...(deletes ? reached(table, seen) : [])]
    })
  }
}

const besidesDefault: ReadonlySet<Effect["rule"]> = new Set([
  "create-partition",
  "attach-partition",
  "detach-partition",
])

const dropped = (node: Node): readonly string[] =>
  [...find(node, "AlterTableCmd")].flatMap(({ subtype, name }) =>
    subtype === "AT_DropConstraint" && name !== undefined ? [name] : [],
  )

/** The same effects with what the catalog shows of the types of columns. */
export function withTypes(effects: readonly Effect[], node: Node, known: Known): readonly Effect[] {
  return withDomains(withCasts(effects, node, known), node, known)
}

/** A new column of a domain has the table written anew where the domain has a constraint or a volatile default. */
function withDomains(effects: readonly Effect[], node: Node, { facts }: Known): readonly Effect[] {
  const ofDomain = new Set([...find(node, "ColumnDef")].filter((one) => domainOf(one, facts)).map((one) => one.colname))
  return effects.map((effect) =>
    effect.rule.startsWith("add-column") && effect.rewrites === false && ofDomain.has(effect.column)
      ? { ...effect, rewrites: "depends", scans: "depends", cost: "may rewrite the table" }
      : effect,
  )
}

/** The name of the user's domain that a column is of. */
function domainOf({ typeName }: ColumnDef, { domains }: CatalogFacts): string | undefined {
  const type = identifiers(typeName?.names).at(-1) ?? ""
  return domains.has(type) ? type : undefined
}

/** Whether there is a rewrite, and what is lost, where a column gets another type than it has. */
function withCasts(all: readonly Effect[], node: Node, { facts, tables }: Known): readonly Effect[] {
  const changed = typeChanges(node)
  let next = 0
  return all.map((effect) => {
    const change = effect.rule === "alter-column-type" ? changed[next++] : undefined
    const from = change && facts.types.get(columnKey(change.table.name, change.column))
    if (change === undefined || from === undefined || tables.target(change.table).state !== "existing") return effect
    const { column, to, by } = change
    const cast = castOf(from, to, by)
    if (cast.known === "no") return effect
    const destroys = castLoss({ table: quoted(change.table), column, from, to, by })
    const cost = cast.rewrites === true ? "rewrites the table" : cast.rewrites === false ? "instant" : effect.cost
    const { safer, ...rest } = effect
    const advice = safer === undefined || cast.rewrites === false ? {} : { safer }
    return {
      ...rest,
      ...advice,
      rewrites: cast.rewrites,
      scans: cast.rewrites,
      cost,
      ...(destroys ? { destroys } : {}),
    }
  })
}

/** Changes of a type about whose values nothing is known. */
const strangeCasts = (node: Node, { facts }: Known): readonly string[] =>
  typeChanges(node).flatMap(({ table, column, to, by }) => {
    const from = facts.types.get(columnKey(table.name, column))
    if (from !== undefined && castOf(from, to, by).known === "yes") return []
    return [`what becomes of the values of ${quoted(table)}.${quoted({ name: column })}`]
  })

/** Why something else may happen. */
function reasons({ node, text }: Statement, known: Known): readonly string[] {
  const { facts } = known
  const why: string[] = [...strangeCasts(node, known)]
  for (const { funcname } of find(node, "FuncCall")) {
    const name = identifiers(funcname).at(-1) ?? ""
    if (facts.functions.has(name)) why.push(`what the function ${name}() does`)
  }
  for (const { rule, table } of effects(node)) {
    const writes = /^(?:insert|update|delete|merge)/.test(rule)
    if (writes && table !== undefined && facts.active.has(table.name))
      why.push(`what triggers, rules or inheriting tables of ${quoted(table)} do`)
    if (rule === "merge") why.push("which of its rows MERGE deletes")
  }
  if (/\bcascade\s*$/i.test(text)) why.push("what CASCADE takes with it")
  for (const column of find(node, "ColumnDef")) {
    const type = domainOf(column, facts)
    if (type !== undefined) why.push(`whether the domain ${type} has the table written anew`)
  }
  if (facts.eventTriggers && effects(node).length > 0) why.push("what the database's event triggers do")
  return [...new Set(why)]
}
