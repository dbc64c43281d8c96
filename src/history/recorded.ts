import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { Folder } from "./folder.js"

/** One row of `_prisma_migrations`. Times are ISO 8601 UTC. */
export interface RecordedRow {
  readonly id: string
  readonly name: string
  readonly checksum: string
  readonly startedAt: string
  readonly finishedAt: string | null
  readonly rolledBackAt: string | null
  /** Statements done. A finished migration has 1, as Prisma writes it. */
  readonly steps: number
  /** Kept for failed rows only: it may be long. */
  readonly logs: string | null
}

/** Done, and not rolled back since. */
export const isApplied = (row: RecordedRow): boolean => row.finishedAt !== null && row.rolledBackAt === null

/** Started, not finished, and not marked as rolled back: it stops every deploy. */
export const hasFailed = (row: RecordedRow): boolean => row.finishedAt === null && row.rolledBackAt === null

/** The history table, qualified and quoted. */
export const historyTable = (schema: string): string => `${quoteIdentifier(schema)}."_prisma_migrations"`

/** The table as Prisma creates it, to the letter. Source: Prisma's schema engine, what it leaves in an empty database. */
export const createHistoryTable = (schema: string): string => `CREATE TABLE IF NOT EXISTS ${historyTable(schema)} (
  "id" VARCHAR(36) PRIMARY KEY NOT NULL,
  "checksum" VARCHAR(64) NOT NULL,
  "finished_at" TIMESTAMPTZ,
  "migration_name" VARCHAR(255) NOT NULL,
  "logs" TEXT,
  "rolled_back_at" TIMESTAMPTZ,
  "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
  "applied_steps_count" INTEGER NOT NULL DEFAULT 0
)`

/** A timestamptz as ISO 8601 UTC, whatever the session's DateStyle and TimeZone are; an infinite one as "infinity". */
export const isoTime = (expression: string): string =>
  `coalesce(pg_catalog.to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), (${expression})::text)`

/** One row as it was asked for. Errors: L1108 a value that neither Prisma nor Lockstep writes. */
function parseRow(schema: string, cells: readonly unknown[]): RecordedRow {
  const [id, name, checksum, startedAt, finishedAt, rolledBackAt, steps, logs] = cells
  const times = isTime(startedAt) && isTimeOrNull(finishedAt) && isTimeOrNull(rolledBackAt)
  if (isText(id) && isText(name) && isText(checksum) && times && typeof steps === "number" && isTextOrNull(logs)) {
    return { id, name, checksum, startedAt, finishedAt, rolledBackAt, steps, logs }
  }
  throw strangeRow(schema, cells)
}

const isText = (value: unknown): value is string => typeof value === "string"
const isTextOrNull = (value: unknown): value is string | null => value === null || isText(value)
const isTime = (value: unknown): value is string => isText(value) && value.endsWith("Z")
const isTimeOrNull = (value: unknown): value is string | null => value === null || isTime(value)

const columns = [
  "id",
  "migration_name",
  "checksum",
  "started_at",
  "finished_at",
  "rolled_back_at",
  "applied_steps_count",
]

function strangeRow(schema: string, cells: readonly unknown[]): LockstepError {
  const problems = columns.flatMap((column, at) => {
    const value = cells[at]
    if (isText(value) && column.endsWith("_at") && !isTime(value)) return [{ column, is: "infinite" }]
    return value === null && !["finished_at", "rolled_back_at"].includes(column) ? [{ column, is: "NULL" }] : []
  })
  if (problems.length === 0) return strangeTable(schema, new Error("a value has another type"))
  const [id, name] = cells
  const key = isText(id) ? `id = ${quoteLiteral(id)}` : `migration_name = ${quoteLiteral(String(name))}`
  const changes = problems.map(({ column }) => `${column} = ${corrections[column]}`).join(", ")
  const what = problems.map(({ column, is }) => `${column} is ${is}`).join(", ")
  return new LockstepError("L1108", `the row of ${name} in ${historyTable(schema)} cannot be used: ${what}`, {
    hint: "Neither Prisma nor Lockstep writes such a row.",
    state: "nothing was touched.",
    next: `correct it by hand: UPDATE ${historyTable(schema)} SET ${changes} WHERE ${key}`,
  })
}

/** For each column, in SQL, what a row of an applied migration may hold. */
const corrections: Readonly<Record<string, string>> = {
  id: "gen_random_uuid()",
  migration_name: "'<its name>'",
  checksum: "'<sha256 of its migration.sql>'",
  started_at: "now()",
  finished_at: "now()",
  rolled_back_at: "now()",
  applied_steps_count: "1",
}

const policies = (schema: string): string =>
  `FROM pg_catalog.pg_policy WHERE polrelid = ${quoteLiteral(historyTable(schema))}::pg_catalog.regclass`

/**
 * SQL for whether the policies show every row to the role. Of a condition nobody can know what it hides: an earlier
 * migration, too, which would be applied again. Source: PostgreSQL's documentation, CREATE POLICY.
 */
function showsAll(schema: string): string {
  const toRead = `${policies(schema)} AND polcmd IN ('r', '*') AND EXISTS (SELECT FROM pg_catalog.unnest(polroles) AS role
    WHERE CASE WHEN role = 0 THEN true ELSE pg_catalog.pg_has_role(role, 'USAGE') END)`
  const isTrue = "pg_catalog.pg_get_expr(polqual, polrelid) = 'true'"
  return `EXISTS (SELECT ${toRead} AND polpermissive AND ${isTrue}) AND NOT EXISTS (SELECT ${toRead} AND NOT polpermissive AND NOT ${isTrue})`
}

/**
 * The whole history as one JSON text: node-postgres takes three times as long over thousands of rows of eight values,
 * and a deploy that has nothing to do should not.
 */
const query = (
  schema: string,
): string => `SELECT pg_catalog.json_agg(pg_catalog.json_build_array(id, migration_name, checksum,
    ${isoTime("started_at")}, ${isoTime("finished_at")}, ${isoTime("rolled_back_at")}, applied_steps_count,
    CASE WHEN finished_at IS NULL AND rolled_back_at IS NULL THEN logs END) ORDER BY started_at, migration_name) AS rows,
    CASE WHEN pg_catalog.row_security_active(${quoteLiteral(historyTable(schema))})
      AND pg_catalog.pg_relation_size(${quoteLiteral(historyTable(schema))}) > 0 AND NOT (${showsAll(schema)})
      THEN pg_catalog.array_to_string(ARRAY(SELECT polname ${policies(schema)}), ', ') END AS policies
  FROM ${historyTable(schema)}`

/**
 * Reads the history in the order in which it was made; undefined where there is no history table.
 * Errors: L1108 the table has another shape, or a row is none of Prisma's, L1110 the role may not read it.
 */
export async function readHistory(client: Client, schema: string): Promise<readonly RecordedRow[] | undefined> {
  const result = await client
    .query<{ rows: string | null; policies: string | null }>(query(schema))
    .catch((error: unknown) => {
      const state = sqlstateOf(error)
      if (state === "42P01" || state === "3F000") return undefined
      if (state === "42501") throw closedTable(schema, error)
      throw state === "42703" ? strangeTable(schema, error) : error
    })
  if (result === undefined) return undefined
  const [{ rows, policies } = { rows: null, policies: null }] = result.rows
  if (policies !== null) throw hiddenRows(schema, policies)
  const found: readonly (readonly unknown[])[] = JSON.parse(rows ?? "[]")
  return found.map((cells) => parseRow(schema, cells))
}

const strangeTable = (schema: string, cause: unknown): LockstepError =>
  new LockstepError("L1108", `the table ${historyTable(schema)} is not a Prisma history`, {
    state: "nothing was touched.",
    next: "name the schema that holds the history with ?schema= in the URL",
    cause,
  })

const closedTable = (schema: string, cause: unknown): LockstepError =>
  new LockstepError("L1110", `the role of the URL may not read ${historyTable(schema)}`, {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : undefined,
    state: "nothing was touched.",
    next: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)}, GRANT SELECT ON ${historyTable(schema)} to this role (a deploy needs INSERT and UPDATE, too)`,
    cause,
  })

/** A migration whose row is not visible would seem to be pending. */
const hiddenRows = (schema: string, policies: string): LockstepError =>
  new LockstepError("L1110", `row-level security may hide rows of ${historyTable(schema)} from the role of the URL`, {
    hint: policies === "" ? "The table has no policy." : `Its policies: ${policies}.`,
    state: "nothing was touched.",
    next: `deploy as a role that it does not apply to, or: CREATE POLICY lockstep ON ${historyTable(schema)} TO <the role> USING (true)`,
  })

/** For fewer rows than this, to read them takes no longer. */
const many = 200

/** digestOf, by the server: of each row's name and checksum, in the order of the names. */
const digest = (schema: string): string => `SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.string_agg(
      pg_catalog.convert_to(migration_name, 'UTF8') || '\\x00' || pg_catalog.convert_to(checksum, 'UTF8') || '\\x00', '' ORDER BY migration_name COLLATE "C")), 'hex') AS digest
  FROM ${historyTable(schema)} HAVING pg_catalog.bool_and(finished_at IS NOT NULL AND rolled_back_at IS NULL)`

/**
 * Whether these many migrations are the history, to the letter: every one applied, none edited, and no row besides. That
 * is what a deploy mostly finds. Without this query a deploy with nothing to do takes 10 % longer over 500 rows and over
 * 2000.
 * False as well where the server cannot compute it, as before PostgreSQL 11: then the rows have to be read.
 */
export async function areAsRecorded(
  client: Client,
  schema: string,
  folder: Pick<Folder, "migrations" | "digest">,
): Promise<boolean> {
  if (folder.migrations.length < many) return false
  const { rows } = await client.query<{ digest: string }>(digest(schema)).catch(() => ({ rows: [] }))
  return rows[0]?.digest === folder.digest
}

/** Tables and enums that others manage: `name`, or `schema.name`. */
export interface ExternalObjects {
  readonly tables: readonly string[]
  readonly enums: readonly string[]
}

/**
 * Tables, views, sequences and enums that no extension owns; a sequence that belongs to a column goes with its table.
 * $2 and $3: external tables and enums.
 */
const objectsQuery = `SELECT format('%I', name) AS name FROM (
    SELECT c.oid, 'pg_class'::regclass AS class, c.relname AS name, c.relnamespace AS namespace, $2::text[] AS external FROM pg_class c
      WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT EXISTS (SELECT FROM pg_depend d
        WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND c.relkind = 'S' AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT t.oid, 'pg_type'::regclass, t.typname, t.typnamespace, $3::text[] FROM pg_type t WHERE t.typtype = 'e'
  ) AS object
  WHERE namespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
    AND name <> ALL (external) AND $1 || '.' || name <> ALL (external)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = object.oid AND d.classid = object.class AND d.deptype = 'e')
  ORDER BY name LIMIT 4`

/**
 * What a schema without a history holds all the same, in words: "account, order". Undefined where it is empty, so that
 * migrations may be applied to it. External objects do not count.
 */
export async function findExistingObjects(
  client: Client,
  schema: string,
  external: ExternalObjects = { tables: [], enums: [] },
): Promise<string | undefined> {
  const values = [schema, external.tables, external.enums]
  const { rows } = await client.query<{ name: string }>({ text: objectsQuery, values })
  if (rows.length === 0) return undefined
  const names = rows.slice(0, 3).map(({ name }) => name)
  return `${names.join(", ")}${rows.length > 3 ? " and more" : ""}`
}
