import type { Client } from "../connect.js"
import { quoteIdentifier, quoteLiteral } from "../quote.js"
import { named, relations } from "./tables.js"

/** The rows of a table, without the columns that PostgreSQL computes. */
export interface TableRows {
  /** As it is written in SQL. */
  readonly table: string
  readonly columns: readonly RowColumn[]
  /** In the order in which they are stored; values are PostgreSQL's own text. */
  readonly rows: readonly (readonly (string | null)[])[]
}

export interface RowColumn {
  readonly name: string
  /** Numbers and booleans are written without quotes; of the other kinds only times matter. */
  readonly kind: "number" | "boolean" | "time" | "date" | "other"
  /** The default's expression. */
  readonly default: string | null
  /** Part of a foreign key, at either end. */
  readonly isKey: boolean
  readonly isAlwaysIdentity: boolean
}

const tables = `SELECT ${named("c.relname")} AS table, (SELECT json_agg(json_build_object('name', a.attname,
    'kind', CASE WHEN t.typcategory = 'N' THEN 'number' WHEN t.typcategory = 'B' THEN 'boolean' WHEN t.oid = 'date'::regtype THEN 'date'
      WHEN t.typcategory = 'D' THEN 'time' ELSE 'other' END,
    'default', (SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d WHERE d.adrelid = c.oid AND d.adnum = a.attnum), 'isAlwaysIdentity', a.attidentity = 'a', 'isKey', EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f'
      AND (k.conrelid = c.oid AND a.attnum = ANY (k.conkey) OR k.confrelid = c.oid AND a.attnum = ANY (k.confkey)))) ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
  )::text AS columns FROM ${relations("'r'")} ORDER BY c.oid`

/** Reads the rows of every table that has some. Names in `schema` are written without it. */
export async function readRows(client: Client, schema: string): Promise<readonly TableRows[]> {
  await client.query(
    `BEGIN READ ONLY; SET LOCAL search_path TO ${quoteIdentifier(schema)}; SET LOCAL extra_float_digits TO 3`,
  )
  try {
    const found: TableRows[] = []
    for (const { table, columns: described } of (await client.query<{ table: string; columns: string | null }>(tables))
      .rows) {
      const columns: readonly RowColumn[] = JSON.parse(described ?? "[]")
      const list = columns.map(({ name }) => `${quoteIdentifier(name)}::text`).join(", ")
      const { rows } = await client.query<(string | null)[]>({
        text: `SELECT ${list} FROM ONLY ${table} ORDER BY ctid`,
        rowMode: "array",
      })
      if (rows.length > 0) found.push({ table, columns, rows })
    }
    return found
  } finally {
    await client.query("ROLLBACK")
  }
}

/** How sequences stand that have given numbers, as statements. */
export async function readSequences(client: Client, schema: string): Promise<readonly string[]> {
  await client.query(`BEGIN READ ONLY; SET LOCAL search_path TO ${quoteIdentifier(schema)}`)
  try {
    const { rows } = await client.query<{ sql: string }>(
      `SELECT format('SELECT setval(%L, %s)', c.oid::regclass, q.last_value) AS sql FROM ${relations("'S'")}
        JOIN pg_sequences q ON q.schemaname = n.nspname AND q.sequencename = c.relname WHERE q.last_value IS NOT NULL ORDER BY c.oid`,
    )
    return rows.map(({ sql }) => sql)
  } finally {
    await client.query("ROLLBACK")
  }
}

/** What takes a value's place, as SQL, in a column whose values another replay would not repeat; undefined: none. */
export type Substitute = (table: string, column: RowColumn) => string | undefined

/** More in one statement are hard to read. */
const mostRows = 100

/** The rows as INSERT statements. */
export function insertsOf({ table, columns, rows }: TableRows, substitute: Substitute): readonly string[] {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(", ")
  const overriding = columns.some(({ isAlwaysIdentity }) => isAlwaysIdentity) ? " OVERRIDING SYSTEM VALUE" : ""
  const replaced = columns.map((column) => substitute(table, column))
  const lines = rows.map(
    (values) =>
      `    (${values.map((value, at) => replaced[at] ?? literal(value, columns[at]?.kind ?? "other")).join(", ")})`,
  )
  if (columns.length === 0) return rows.map(() => `INSERT INTO ${table} DEFAULT VALUES`)
  return Array.from({ length: Math.ceil(lines.length / mostRows) }, (_, index) => {
    const some = lines.slice(index * mostRows, (index + 1) * mostRows)
    return `INSERT INTO ${table} (${names})${overriding} VALUES\n${some.join(",\n")}`
  })
}

function literal(value: string | null, kind: RowColumn["kind"]): string {
  if (value === null) return "NULL"
  if (kind === "number" && /^-?\d+(?:\.\d+)?$/.test(value)) return value
  if (kind === "boolean") return value === "t" || value === "true" ? "true" : "false"
  return quoteLiteral(value)
}
