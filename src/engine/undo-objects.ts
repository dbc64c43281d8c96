import type { CatalogDifference, CatalogObject } from "../postgres/catalog.js"

type Kind = CatalogObject["kind"]

/** What hinders changes of tables, and so goes before them. */
const goesFirst: readonly Kind[] = ["trigger", "policy", "rule", "view", "materialized view"]
/** What the schema engine neither makes nor drops by itself. */
const unseen: readonly Kind[] = [
  ...goesFirst,
  "constraint",
  "index",
  "function",
  "sequence",
  "domain",
  "type",
  "extension",
]

/**
 * The statements that drop what would hinder the engine's SQL, newest first. What belongs to a table that goes
 * altogether goes with it. `later` and `earlier`: what only the state to leave has, and what only the goal has.
 */
export function dropsBefore({ onlyFirst: later, onlySecond: earlier }: CatalogDifference): readonly string[] {
  const kept = new Set(earlier.filter(({ kind }) => kind === "table").map(({ name }) => name))
  const going = later.filter(({ kind, name }) => kind === "table" && !kept.has(name)).map(({ name }) => `${name}.`)
  return later
    .filter(({ kind, name }) => goesFirst.includes(kind) && !going.some((table) => name.startsWith(table)))
    .toReversed()
    .flatMap(({ drop }) => (drop ? [drop] : []))
}

/** The statements that still lead to the goal after the engine's SQL: drops newest first, then creations oldest first. */
export function changesAfter({ onlyFirst: later, onlySecond: earlier }: CatalogDifference): readonly string[] {
  const replaced = new Set(earlier.filter(({ kind }) => kind === "function").map(({ name }) => name))
  const drops = later.filter(({ kind, name }) => unseen.includes(kind) && !(kind === "function" && replaced.has(name)))
  const creations = earlier.filter(({ kind }) => unseen.includes(kind))
  return [...drops.toReversed().map(({ drop }) => drop), ...creations.map(({ create }) => create)].filter(Boolean)
}

/** The objects that differ still, each once, as words. */
export function leftOver({ onlyFirst, onlySecond }: CatalogDifference): readonly string[] {
  const words = ({ kind, name }: CatalogObject): string => `${kind} ${name}`
  return [...new Set([...onlyFirst, ...onlySecond].map(words))].sort()
}
