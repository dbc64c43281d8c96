import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { Structure } from "../postgres/structure.js"
import { effects } from "../sql/effects.js"
import type { Statement } from "../sql/parse.js"
import type { RelationName } from "../sql/tree.js"
import type { Loss } from "./losses.js"
import { inPossibleOrder, type Rename } from "./renames/rename.js"

/** A database before the renames that a script expects, and the schema of its URL. */
export interface Rows {
  readonly client: Client
  readonly schema: string
  readonly renames: readonly Rename[]
}

/** A table, or a column of it. */
interface Place {
  readonly table: RelationName
  readonly column?: string | undefined
}

/** The losses in words, each with how many rows or values of this database it is about. */
export async function counted(losses: readonly Loss[], rows: Rows): Promise<readonly string[]> {
  const lines: string[] = []
  for (const { what, table, column } of losses) {
    const amount = table && (await amountOf({ table, column }, rows))
    lines.push(amount === undefined ? what : `${what} (${amount} in this database)`)
  }
  return lines
}

/** How many rows a table has, or values a column: "1 row", "200,000 values". */
export async function amountOf(place: Place, rows: Rows): Promise<string> {
  const { table, column } = original(rows, place)
  const of = column === undefined ? "*" : quoteIdentifier(column)
  const count = Number((await first<{ n: string }>(rows, `SELECT count(${of}) AS n FROM ${table}`))?.n ?? 0)
  const unit = column === undefined ? "row" : "value"
  return `${count.toLocaleString("en")} ${unit}${count === 1 ? "" : "s"}`
}

/** The statements that fail with the rows of this database, in words: what the schema engine says where it can look itself. */
export async function impossibleWith(
  statements: readonly Statement[],
  before: Structure,
  rows: Rows,
): Promise<readonly string[]> {
  const lines: string[] = []
  const exists = ({ schema = rows.schema, name }: RelationName) =>
    before.tables.some((table) => table.schema === schema && table.name === name)
  for (const { rule, table, column } of statements.flatMap(({ node }) => effects(node))) {
    if (table === undefined || column === undefined || !exists(table)) continue
    const place = original(rows, { table, column })
    const named = `${quoteIdentifier(column)} of ${quoteIdentifier(table.name)}`
    if (rule === "add-column-not-null" && (await first(rows, `SELECT FROM ${place.table} LIMIT 1`)))
      lines.push(`the required column ${named} is added without a default, and the table has rows`)
    const nulls = `SELECT FROM ${place.table} WHERE ${quoteIdentifier(place.column ?? column)} IS NULL LIMIT 1`
    if (rule === "set-not-null" && (await first(rows, nulls)))
      lines.push(`the column ${named} becomes required, and there are rows without a value`)
  }
  return lines
}

const first = async <T extends object>({ client }: Rows, sql: string): Promise<T | undefined> =>
  (await client.query<T>(sql)).rows[0]

/** What a table and a column of it are called in the database as it is, the table as SQL. */
function original(
  { schema: urlSchema, renames }: Rows,
  { table, column }: Place,
): { readonly table: string; readonly column: string | undefined } {
  const schema = table.schema ?? urlSchema
  let now = { name: table.name, column }
  for (const rename of inPossibleOrder(renames).toReversed()) {
    if (rename.schema !== schema || rename.to !== (rename.kind === "column" ? now.column : now.name)) continue
    if (rename.kind === "table") now = { ...now, name: rename.from }
    if (rename.kind === "column" && rename.table === now.name) now = { ...now, column: rename.from }
  }
  return { table: `${quoteIdentifier(schema)}.${quoteIdentifier(now.name)}`, column: now.column }
}
