import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"
import { quoted } from "../sql/tree.js"
import type { Backfill } from "./file.js"

/** The columns by which a table is walked: those of its primary key, or of another unique index without NULLs. */
export interface Key {
  /** The table, qualified and quoted, with ONLY where its children are left out. */
  readonly table: string
  readonly columns: readonly { readonly name: string; readonly type: string }[]
}

/** The values of a key's columns, as PostgreSQL prints them with the settings below. */
export type KeyValues = readonly string[]

/** SQL for the settings of a transaction that reads keys: what it prints is read back as the same values by any session. */
export const printExactly =
  "SET LOCAL datestyle=ISO;SET LOCAL intervalstyle=postgres;SET LOCAL extra_float_digits=1;SET LOCAL bytea_output=hex"

/** What a key is called for people and in the table of progress: "id", "tenant, id". */
export const nameOfKey = ({ columns }: Key): string => columns.map(({ name }) => name).join(", ")

const nothing = "nothing was touched."

/** Its collation and its place in the index decide the order; a partial index, or one of expressions, has not every row. */
const keyQuery = `SELECT format('%I.%I', n.nspname, c.relname) AS name, c.oid = to_regclass($2) AS written,
    (SELECT string_agg(DISTINCT p.proname, ', ') FROM pg_catalog.pg_proc p WHERE p.prokind IN ('a', 'w') AND p.proname = ANY ($3)) AS aggregates,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', pg_catalog.format_type(a.atttypid, -1)) ORDER BY k.place)
      FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(number, place)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number WHERE k.place <= i.indnkeyatts) AS columns
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN LATERAL (SELECT i.indkey, i.indnkeyatts FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
      AND x.relam = (SELECT oid FROM pg_catalog.pg_am WHERE amname = 'btree')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]) AND NOT a.attnotnull)
    ORDER BY i.indisprimary DESC, i.indnkeyatts, i.indexrelid LIMIT 1) AS i ON true
  WHERE c.oid = to_regclass($1)`

interface Row {
  readonly name: string
  readonly written: string | null
  readonly aggregates: string | null
  readonly columns: string | null
}

/**
 * Finds by what the rows of a backfill are walked; the session's search path is the schema's.
 * Errors: L2104 there is no such table, it has no key, or the statement cannot be run in ranges of it.
 */
export async function findKey(client: Client, { name, file, statement }: Backfill): Promise<Key> {
  const { table, target, sets, calls, kind } = statement
  const refuse = (message: string, next: string) => new LockstepError("L2104", message, { file, state: nothing, next })
  const { rows } = await client.query<Row>({ text: keyQuery, values: [quoted(table), quoted(target), calls] })
  const [found] = rows
  if (found === undefined)
    throw refuse(
      `the backfill ${name} walks ${quoted(table)}, which does not exist`,
      "apply the migration that creates it: `lockstep deploy`; or correct the file",
    )
  if (found.columns === null)
    throw refuse(
      `the backfill ${name} walks ${found.name}, which has no primary key and no other unique index without NULLs`,
      `add one in a migration, such as ALTER TABLE ${found.name} ADD PRIMARY KEY (…); or write the change as a migration, if the table is small`,
    )
  const columns: Key["columns"] = JSON.parse(found.columns)
  const set = columns.find((column) => sets.includes(column.name))
  if (set !== undefined)
    throw refuse(
      `the backfill ${name} sets "${set.name}", by which the rows of ${found.name} are walked`,
      "leave the key's columns as they are: a row could move into a later range and be changed again",
    )
  if (kind === "INSERT" && found.written === "t")
    throw refuse(
      `the backfill ${name} inserts into ${found.name}, whose rows it walks`,
      "insert into another table: the new rows could come into a later range",
    )
  if (found.aggregates !== null)
    throw refuse(
      `the backfill ${name} puts rows of several ranges together with ${found.aggregates}: the result would be another one`,
      "use aggregates in a sub-select of their own",
    )
  return { table: `${statement.only}${found.name}`, columns }
}

/** A key's columns in SQL, of the table as it is called there: one, or a row of them. */
function columnsOf({ columns }: Key, reference = ""): string {
  const names = columns.map(({ name }) => `${reference}${quoteIdentifier(name)}`)
  return names.length === 1 ? (names[0] ?? "") : `(${names.join(",")})`
}

/** A key's values in SQL; the comparison's order and collation are the columns'. */
function valuesOf({ columns }: Key, values: KeyValues): string {
  const texts = columns.map(({ type }, at) => `${quoteLiteral(values[at] ?? "")}::${type}`)
  return texts.length === 1 ? (texts[0] ?? "") : `(${texts.join(",")})`
}

/** A range of a table's rows: after one key, where there is one before it, up to another. */
export interface Range {
  readonly after: KeyValues | undefined
  readonly upTo: KeyValues
}

/** The condition of a range in SQL. `reference`: how the statement calls the table. */
export function rangeCondition(key: Key, { after, upTo }: Range, reference?: string): string {
  const columns = columnsOf(key, reference === undefined ? "" : `${reference}.`)
  const end = `${columns} <= ${valuesOf(key, upTo)}`
  return after === undefined ? end : `${columns} > ${valuesOf(key, after)} AND ${end}`
}

/** The last key of the table; undefined where it has no row. */
export async function lastKeyOf(client: Client, key: Key): Promise<KeyValues | undefined> {
  const names = key.columns.map(({ name }) => quoteIdentifier(name))
  return await readKey(
    client,
    `SELECT ${names.join(",")} FROM ${key.table} ORDER BY ${names.map((name) => `${name} DESC`).join(",")} LIMIT 1`,
  )
}

/** The key of the range's `count`-th row; undefined where the range has fewer. */
export async function keyAt(
  client: Client,
  key: Key,
  range: Range & { readonly count: number },
): Promise<KeyValues | undefined> {
  const names = key.columns.map(({ name }) => quoteIdentifier(name)).join(",")
  return await readKey(
    client,
    `SELECT ${names} FROM ${key.table} WHERE ${rangeCondition(key, range)} ORDER BY ${names} OFFSET ${range.count - 1} LIMIT 1`,
  )
}

/** How many rows a range has. */
export async function rowsIn(client: Client, key: Key, range: Range): Promise<number> {
  const { rows } = await client.query<{ count: string }>(
    `SELECT count(*) FROM ${key.table} WHERE ${rangeCondition(key, range)}`,
  )
  return Number(rows[0]?.count)
}

async function readKey(client: Client, query: string): Promise<KeyValues | undefined> {
  await client.query(`BEGIN READ ONLY;${printExactly}`)
  const { rows } = await client.query<string[]>({ text: query, rowMode: "array" })
  await client.query("COMMIT")
  return rows[0]
}

/** About how many rows a table has, as the planner estimates it from its size. */
export async function estimatedRows(client: Client, { table }: Pick<Key, "table">): Promise<number> {
  const { rows } = await client.query<Record<string, string>>(`EXPLAIN (FORMAT JSON) SELECT FROM ${table}`)
  const [plan] = JSON.parse(rows[0]?.["QUERY PLAN"] ?? "[]")
  return Number(plan?.Plan?.["Plan Rows"] ?? 0)
}
