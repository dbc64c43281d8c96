import type { Column, Diagram, Reference, Table } from "./schema.js"

/** What of a schema is drawn. */
export interface Selection {
  readonly tables: readonly DrawnTable[]
  readonly references: readonly Reference[]
  /** All tables that there are. */
  readonly total: number
}

export interface DrawnTable extends Table {
  readonly shown: readonly Column[]
  /** How many columns are left out. */
  readonly left: number
}

/** A schema of so few tables is drawn whole. */
const small = 14
const most = 30
/** So many columns fit beside so many tables; of a table that is only a neighbour, its keys are enough. */
const mostColumns = (tables: number): number => (tables <= 8 ? 18 : tables <= small ? 14 : 6)

/** The tables that change and those at the other ends of their foreign keys; a small schema whole. */
export function select({ tables, references }: Diagram): Selection {
  const changed = tables.filter(({ change }) => change !== "same")
  const isSmall = tables.length <= small
  const ids = new Set(isSmall ? tables.map(({ id }) => id) : chosen(changed, references))
  const drawn = tables.filter(({ id }) => ids.has(id))
  const among = references.filter(({ from, to }) => ids.has(from) && ids.has(to))
  return {
    tables: drawn.map((table) => columnsOf(table, { among, isSmall, room: mostColumns(drawn.length) })),
    references: among,
    total: tables.length,
  }
}

/** As many as fit: those that change, then the neighbours with the most foreign keys to them. */
function chosen(changed: readonly Table[], references: readonly Reference[]): readonly string[] {
  const own = changed.slice(0, most).map(({ id }) => id)
  const isOwn = new Set(own)
  const neighbours = new Map<string, number>()
  for (const { from, to, change } of references) {
    const weight = change === "same" ? 1 : 100
    if (isOwn.has(from) && !isOwn.has(to)) neighbours.set(to, (neighbours.get(to) ?? 0) + weight)
    if (isOwn.has(to) && !isOwn.has(from)) neighbours.set(from, (neighbours.get(from) ?? 0) + weight)
  }
  const sorted = [...neighbours].toSorted(([, one], [, other]) => other - one).map(([id]) => id)
  // A table that everything refers to would bring all of it.
  return [...own, ...sorted.slice(0, Math.min(most - own.length, Math.max(8, own.length * 2)))]
}

interface Surroundings {
  readonly among: readonly Reference[]
  readonly isSmall: boolean
  /** Columns. */
  readonly room: number
}

function columnsOf(table: Table, { among, isSmall, room }: Surroundings): DrawnTable {
  const { columns, change, id } = table
  const linked = new Set(among.filter(({ from }) => from === id).map(({ column }) => column))
  const isKey = ({ name, key }: Column) => key === "primary" || linked.has(name)
  const whole = (isSmall || change !== "same") && columns.length <= room
  if (whole) return { ...table, shown: columns, left: 0 }
  const matters = columns.filter((one) => one.change !== "same" || isKey(one))
  const rest = change === "same" ? [] : columns.filter((one) => !matters.includes(one))
  const kept = new Set([...matters, ...rest].slice(0, Math.max(room, matters.length)))
  const shown = columns.filter((one) => kept.has(one))
  return { ...table, shown, left: columns.length - shown.length }
}
