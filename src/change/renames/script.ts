import type { Part, Structure } from "../../postgres/structure.js"
import { inPossibleOrder, type Naming, type Rename, renamed, renameStatement, thingText } from "./rename.js"

/** The SQL of renames, and of what is named after the renamed: its head says what is renamed. */
export function renameScript(before: Structure, renames: readonly Rename[], named: Naming): string {
  const following = followers(before, renames)
  const lines = renames.map((rename) => `-- ${capital(thingText(rename, rename.from, named))} is now ${rename.to}`)
  const all = [...inPossibleOrder(byKind(renames)), ...inPossibleOrder(following)]
  return `${["-- Renamed: the rows stay.", ...lines, ...all.map((each) => renameStatement(each, named))].join("\n")}\n`
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const order: readonly Rename["kind"][] = ["enum", "enum value", "table", "column", "constraint", "index", "sequence"]

/** Types and tables before what is in them, which is named by their new names. */
export const byKind = (renames: readonly Rename[]): readonly Rename[] =>
  renames.toSorted((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind))

/**
 * The constraints, indexes and sequences that have the names that Prisma and PostgreSQL derive from a table's and its
 * columns' names: they get those that are derived from the new names.
 */
function followers(before: Structure, renames: readonly Rename[]): readonly Rename[] {
  const after = renamed(before, renames)
  const all = before.tables.flatMap((table, at) => {
    const now = after.tables[at]
    if (now === undefined) return []
    return table.parts.flatMap((part, index): readonly Rename[] => {
      const to = derived(part, table.name, { table: now.name, columns: now.parts[index]?.columns ?? [] })
      if (to === part.name) return []
      const { schema } = table
      return part.kind === "constraint"
        ? [{ kind: part.kind, schema, table: now.name, from: part.name, to }]
        : [{ kind: part.kind, schema, from: part.name, to }]
    })
  })
  const kept = new Set(before.tables.flatMap(({ parts }) => parts.map(({ name }) => name)))
  for (const { from } of all) kept.delete(from)
  return all.filter(({ to }) => !kept.has(to))
}

const suffixes = ["pkey", "key", "idx", "fkey", "index", "unique", "seq"]

/** PostgreSQL cuts longer names off; Prisma shortens them in its own way, and its engine renames such a one afterwards. */
const longest = 63

/** Source: Prisma's documentation, "Prisma ORM's default naming conventions for indexes and constraints". */
function namesOf(table: string, columns: readonly string[]): readonly string[] {
  const ofColumns = suffixes.map((suffix) => [table, ...columns, suffix].join("_"))
  return [`${table}_pkey`, `${table}_AB_pkey`, `${table}_AB_unique`, ...ofColumns]
}

function derived(
  { name, columns }: Part,
  table: string,
  now: { readonly table: string; readonly columns: readonly string[] },
): string {
  const at = namesOf(table, columns).indexOf(name)
  const to = at < 0 ? name : (namesOf(now.table, now.columns)[at] ?? name)
  return Buffer.byteLength(to) > longest ? name : to
}
