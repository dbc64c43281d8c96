import type { Constraint } from "libpg-query"
import type pg from "pg"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"
import type { Statement } from "../sql/parse.js"
import { find, identifiers, quoted, type RelationName, relationOf } from "../sql/tree.js"
import { typeChanges } from "../sql/types.js"

/** The rows with which a statement failed. */
export interface Offenders {
  /** As SQL, quoted. */
  readonly table: string
  /** The primary key's columns. */
  readonly key: readonly string[]
  /** How many rows there are. */
  readonly count: number
  /** The keys of the first of them, each as JSON; with --show-rows the whole rows. */
  readonly rows: readonly string[]
}

/** What is looked for, and how much of it may be shown. */
export interface Failure {
  readonly error: pg.DatabaseError
  readonly statement: Statement
  /** Of the migration, up to that one. */
  readonly before: readonly Statement[]
  readonly schema: string
  readonly shows: "keys" | "rows"
}

const most = 5

/** Finds the rows that made a statement fail, after its transaction was rolled back; undefined where that is not possible. */
export async function findOffenders(client: Client, failure: Failure): Promise<Offenders | undefined> {
  const found = conditionOf(failure) ?? (await duplicates(client, failure)) ?? (await misfits(client, failure))
  if (found === undefined) return undefined
  const { table, condition } = found
  const key = await primaryKey(client, quoted(table))
  if (key === undefined) return undefined
  const shown =
    failure.shows === "rows" || key.length === 0
      ? "to_json(t)"
      : `json_build_array(${key.map((each) => `t.${quoteIdentifier(each)}`).join(", ")})`
  if (key.length === 0 && failure.shows === "keys") return await counted(client, table, condition)
  const { rows } = await client
    .query<{ shown: string; count: string }>(
      `SELECT ${shown}::text AS shown, count(*) OVER () AS count FROM ${quoted(table)} t WHERE ${condition} LIMIT ${most}`,
    )
    .catch(() => ({ rows: [] }))
  const [first] = rows
  if (first === undefined) return undefined
  return { table: quoted({ name: table.name }), key, count: Number(first.count), rows: rows.map((row) => row.shown) }
}

async function counted(client: Client, table: RelationName, condition: string): Promise<Offenders | undefined> {
  const { rows } = await client
    .query<{ count: string }>(`SELECT count(*) AS count FROM ${quoted(table)} t WHERE ${condition}`)
    .catch(() => ({ rows: [] }))
  const count = Number(rows[0]?.count ?? 0)
  return count === 0 ? undefined : { table: quoted({ name: table.name }), key: [], count, rows: [] }
}

interface Condition {
  readonly table: RelationName
  readonly condition: string
}

/** Source of the fields: PostgreSQL's documentation, "Error and Notice Message Fields". */
function conditionOf({ error, statement, schema }: Failure): Condition | undefined {
  const { code, column } = error
  const table = tableOf(error, schema)
  if (code === "23502" && table !== undefined && column !== undefined)
    return { table, condition: `to_jsonb(t) ->> ${quoteLiteral(column)} IS NULL` }
  return code === "23503" ? missingReferences(statement, schema) : undefined
}

const tableOf = (error: pg.DatabaseError, schema: string): RelationName | undefined =>
  error.table === undefined ? undefined : { schema: error.schema ?? schema, name: error.table }

/** The rows that are equal where an index allows one. */
async function duplicates(client: Client, failure: Failure): Promise<Condition | undefined> {
  const { error, statement, before, schema } = failure
  const table = tableOf(error, schema)
  const { constraint } = error
  if (error.code !== "23505" || table === undefined || constraint === undefined) return undefined
  const own = [statement, ...before].flatMap((one) => uniqueIn(one, constraint, one === statement))
  const columns = own[0] ?? (await indexedColumns(client, { ...table, name: constraint }))
  if (columns.length === 0) return undefined
  const list = columns.map((each) => `t.${each}`).join(", ")
  const grouped = `SELECT ${columns.join(", ")} FROM ${quoted(table)} GROUP BY ${columns.join(", ")} HAVING count(*) > 1`
  return { table, condition: `(${list}) IN (${grouped})` }
}

/** The columns, as SQL, of unique indexes of that name which a statement makes; an index without a name counts where it failed. */
function uniqueIn({ node }: Statement, name: string, mayBeUnnamed: boolean): readonly (readonly string[])[] {
  const isMeant = (own: string | undefined) => own === name || (own === undefined && mayBeUnnamed)
  const indexes = [...find(node, "IndexStmt")]
    .filter(({ unique, idxname }) => unique === true && isMeant(idxname))
    .map(({ indexParams = [] }) => [...find(indexParams, "IndexElem")].map((one) => one.name))
  const isUnique = ({ contype }: Constraint) => contype === "CONSTR_UNIQUE" || contype === "CONSTR_PRIMARY"
  const constraints = [...find(node, "Constraint")]
    .filter((one) => isUnique(one) && isMeant(one.conname))
    .map(({ keys }) => identifiers(keys))
  const ofColumns = [...(mayBeUnnamed ? find(node, "ColumnDef") : [])]
    .filter(({ constraints: own = [] }) => [...find(own, "Constraint")].some(isUnique))
    .map(({ colname }) => [colname])
  return [...indexes, ...constraints, ...ofColumns].flatMap((columns) => {
    const names = columns.flatMap((one) => (one === undefined ? [] : [quoteIdentifier(one)]))
    return names.length > 0 && names.length === columns.length ? [names] : []
  })
}

async function indexedColumns(client: Client, index: RelationName): Promise<readonly string[]> {
  const { rows } = await client.query<{ column: string; plain: string }>({
    text: `SELECT pg_get_indexdef(i.indexrelid, place, false) AS column, i.indkey[place - 1] <> 0 AS plain
           FROM pg_index i, generate_series(1, i.indnkeyatts) place WHERE i.indexrelid = to_regclass($1) ORDER BY place`,
    values: [quoted(index)],
  })
  return rows.every(({ plain }) => plain === "t") ? rows.map(({ column }) => column) : []
}

/** The rows whose value is none of the column's new type. */
async function misfits(client: Client, { error, statement, schema }: Failure): Promise<Condition | undefined> {
  const [change] = error.code?.startsWith("22") ? typeChanges(statement.node) : []
  if (change === undefined) return undefined
  const isValid = await validator(client)
  const valid = `${isValid}(t.${quoteIdentifier(change.column)}::text, ${quoteLiteral(change.to)})`
  return { table: { schema, ...change.table }, condition: `NOT ${valid}` }
}

/** PostgreSQL 16 and newer have the function; in an older one the session gets one of its own, which is slower. */
async function validator(client: Client): Promise<string> {
  const { rows } = await client.query<{ has: string }>(
    "SELECT to_regproc('pg_catalog.pg_input_is_valid') IS NOT NULL AS has",
  )
  if (rows[0]?.has === "t") return "pg_input_is_valid"
  await client.query(`CREATE OR REPLACE FUNCTION pg_temp.input_is_valid(input text, type text) RETURNS boolean LANGUAGE plpgsql AS $$
    BEGIN EXECUTE format('SELECT %L::%s', input, type); RETURN true; EXCEPTION WHEN data_exception THEN RETURN false; END $$`)
  return "pg_temp.input_is_valid"
}

/** The rows whose new foreign key refers to nothing; a key that the statement does not name the columns of is "id". */
function missingReferences({ node }: Statement, schema: string): Condition | undefined {
  const owner = "AlterTableStmt" in node ? relationOf(node.AlterTableStmt.relation) : undefined
  const [key] = [...find(node, "Constraint")].filter(({ contype }) => contype === "CONSTR_FOREIGN")
  const referenced = relationOf(key?.pktable)
  const [own, other] = [identifiers(key?.fk_attrs), identifiers(key?.pk_attrs)]
  if (owner === undefined || referenced === undefined || own.length === 0) return undefined
  const target = other.length > 0 ? other : ["id"]
  const isSet = own.map((each) => `t.${quoteIdentifier(each)} IS NOT NULL`)
  const isSame = own.map((each, at) => `r.${quoteIdentifier(target[at] ?? "id")} = t.${quoteIdentifier(each)}`)
  const found = `SELECT FROM ${quoted({ schema, ...referenced })} r WHERE ${isSame.join(" AND ")}`
  return { table: { schema, ...owner }, condition: `${isSet.join(" AND ")} AND NOT EXISTS (${found})` }
}

async function primaryKey(client: Client, table: string): Promise<readonly string[] | undefined> {
  const { rows } = await client
    .query<{ name: string }>(
      `SELECT a.attname AS name FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
       WHERE i.indrelid = to_regclass(${quoteLiteral(table)}) AND i.indisprimary ORDER BY array_position(i.indkey::int[], a.attnum::int)`,
    )
    .catch(() => ({ rows: undefined }))
  return rows?.map(({ name }) => name)
}
