import type { Effect } from "../sql/effects.js"
import { quoted } from "../sql/relation.js"
import { lockModes } from "../sql/rules.js"
import type { Target, Work } from "./planned.js"
import type { Tables } from "./tables.js"

/** A statement's effects as work, one for each relation, in the order in which the statement comes to them. */
export function workOf(effects: readonly Effect[], tables: Tables): readonly Work[] {
  const byRelation = new Map<string | undefined, Effect[]>()
  for (const effect of effects) {
    const table = nameOf(effect, tables)
    byRelation.set(table, [...(byRelation.get(table) ?? []), effect])
  }
  return [...byRelation].map(([table, all]) => merged(all, table, targetOf(all, tables)))
}

/** Of an index its table; the index itself where its table is not known. */
function relationOf({ table, index }: Effect, tables: Tables) {
  return table ?? (index && (tables.tableOf(index) ?? index))
}

function nameOf(effect: Effect, tables: Tables): string | undefined {
  const relation = relationOf(effect, tables)
  return relation === undefined ? undefined : quoted(relation)
}

function targetOf([effect]: readonly Effect[], tables: Tables): Target {
  const relation = effect && relationOf(effect, tables)
  if (relation === undefined) return { state: "unnamed" }
  const target = tables.target(relation)
  const makes = effect?.rule === "create-table" || effect?.rule === "create-table-as"
  return makes && target.state === "absent" ? { state: "new" } : target
}

function merged(all: readonly Effect[], table: string | undefined, target: Target): Work {
  const harmless = target.state === "new" || target.state === "absent"
  return {
    rules: unique(all.map(({ rule }) => rule)),
    lock: strongest(all),
    table,
    target,
    rewrites: harmless ? false : worst(all.map(({ rewrites }) => rewrites)),
    scans: harmless ? false : worst(all.map(({ scans }) => scans)),
    costs: harmless ? [] : costsOf(all),
    destroys: harmless ? [] : unique(all.flatMap(({ destroys }) => destroys ?? [])),
    safer: harmless ? [] : unique(all.flatMap(({ safer }) => safer ?? [])),
  }
}

function strongest(all: readonly Effect[]): Effect["lock"] {
  const mode = lockModes.findLast((mode) => all.some(({ lock }) => lock === mode))
  return mode ?? (all.some(({ lock }) => lock === "unknown") ? "unknown" : "none")
}

function costsOf(all: readonly Effect[]): Work["costs"] {
  const costs = unique(all.map(({ cost }) => cost))
  return costs.length > 1 ? costs.filter((cost) => cost !== "instant") : costs
}

const worst = (values: readonly (boolean | "depends")[]): boolean | "depends" =>
  values.includes(true) || (values.includes("depends") ? "depends" : false)

const unique = <T>(values: readonly T[]): readonly T[] => [...new Set(values)]
