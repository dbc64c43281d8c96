import type { CatalogDifference, CatalogObject } from "../postgres/catalog.js"

type Kind = CatalogObject["kind"]

/** What may prevent a change of a table, and so is dropped before. */
const droppedFirst: readonly Kind[] = ["trigger", "policy", "rule", "view", "materialized view"]
/** What the schema engine neither creates nor drops by itself. */
const unseen: readonly Kind[] = [
  ...droppedFirst,
  "constraint",
  "index",
  "function",
  "sequence",
  "domain",
  "type",
  "extension",
]

/**
 * The statements that drop what could prevent the engine's SQL, newest first. What belongs to a table that is dropped
 * needs no statement of its own. `current` and `goal`: what only the state to leave has, and what only the goal has.
 */
export function dropsBefore({ onlyFirst: current, onlySecond: goal }: CatalogDifference): readonly string[] {
  const keptTables = new Set(goal.filter(({ kind }) => kind === "table").map(({ name }) => name))
  const droppedTables = current
    .filter(({ kind, name }) => kind === "table" && !keptTables.has(name))
    .map(({ name }) => `${name}.`)
  return current
    .filter(({ kind, name }) => droppedFirst.includes(kind) && !droppedTables.some((table) => name.startsWith(table)))
    .toReversed()
    .flatMap(({ drop }) => (drop ? [drop] : []))
}

/** The statements that lead to the goal after the engine's SQL: drops newest first, then creations oldest first. */
export function changesAfter({ onlyFirst: current, onlySecond: goal }: CatalogDifference): readonly string[] {
  const replaced = new Set(goal.filter(({ kind }) => kind === "function").map(({ name }) => name))
  const drops = current.filter(
    ({ kind, name }) => unseen.includes(kind) && !(kind === "function" && replaced.has(name)),
  )
  const creations = goal.filter(({ kind }) => unseen.includes(kind))
  return [...drops.toReversed().map(({ drop }) => drop), ...creations.map(({ create }) => create)].filter(Boolean)
}

/** The objects that still differ, each once: "policy public.t.own". */
export function differingObjects({ onlyFirst, onlySecond }: CatalogDifference): readonly string[] {
  const objects = [...onlyFirst, ...onlySecond].map(({ kind, name }) => `${kind} ${name}`)
  return [...new Set(objects)].sort()
}
