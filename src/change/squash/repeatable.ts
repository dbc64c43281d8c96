import type { RowColumn, Substitute, TableRows } from "../../postgres/dump/rows.js"

/** A column whose values another replay of the same migrations does not repeat. */
export interface Unrepeated {
  readonly table: string
  readonly column: RowColumn
  /** What takes the values' place; undefined: they stay as one replay made them. */
  readonly substitute: string | undefined
}

/** What two replays of the same migrations left: the columns that differ, or the table of which the number of rows does. */
export function unrepeated(
  one: readonly TableRows[],
  other: readonly TableRows[],
): readonly Unrepeated[] | { readonly table: string } {
  const names = [...new Set([...one, ...other].map(({ table }) => table))]
  const found: Unrepeated[] = []
  for (const table of names) {
    const [first, second] = [one, other].map((all) => all.find((each) => each.table === table))
    if (first === undefined || first.rows.length !== second?.rows.length) return { table }
    for (const [at, column] of first.columns.entries()) {
      const isSame = first.rows.every((row, index) => row[at] === second.rows[index]?.[at])
      if (!isSame) found.push({ table, column, substitute: substituteFor(column) })
    }
  }
  return found
}

/** A time is the time at which it runs; a random value that nothing refers to comes from the column's own default. */
function substituteFor({ kind, isKey, default: fallback }: RowColumn): string | undefined {
  if (kind === "time") return "CURRENT_TIMESTAMP"
  if (kind === "date") return "CURRENT_DATE"
  return !isKey && fallback?.includes("(") ? "DEFAULT" : undefined
}

export const substitutes =
  (columns: readonly Unrepeated[]): Substitute =>
  (table, { name }) =>
    columns.find((each) => each.table === table && each.column.name === name)?.substitute

/** Tables whose rows differ, but for values that no replay repeats. */
export function differingRows(
  expected: readonly TableRows[],
  found: readonly TableRows[],
  columns: readonly Unrepeated[],
): readonly string[] {
  const textOf = ({ table, columns: all, rows }: TableRows): string => {
    const counts = all.map(({ name }) => !columns.some((each) => each.table === table && each.column.name === name))
    return JSON.stringify(
      rows
        .map((row) => row.filter((_, at) => counts[at]))
        .map((row) => JSON.stringify(row))
        .sort(),
    )
  }
  const [before, after] = [expected, found].map((all) => new Map(all.map((each) => [each.table, textOf(each)])))
  const names = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])
  return [...names].filter((table) => before?.get(table) !== after?.get(table))
}
