import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"

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

/** Begun, not finished, and not settled: it stops every deploy. */
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

/** A timestamptz as ISO 8601 UTC, whatever the session's DateStyle and TimeZone are. */
export const isoTime = (expression: string): string =>
  `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/**
 * One row as it was asked for; undefined where it is something else. By hand, because a history has thousands of rows,
 * and what PostgreSQL sends is a text or null.
 */
function parseRow([id, name, checksum, startedAt, finishedAt, rolledBackAt, steps, logs]: readonly Cell[]):
  | RecordedRow
  | undefined {
  if (!id || !name || checksum == null || !startedAt || steps == null) return undefined
  return {
    id,
    name,
    checksum,
    startedAt,
    finishedAt: finishedAt ?? null,
    rolledBackAt: rolledBackAt ?? null,
    steps: Number(steps),
    logs: logs ?? null,
  }
}

type Cell = string | null

/**
 * Reads the history in the order in which it was made; undefined where there is no history table.
 * Errors: L1108 the table has another shape, L1110 the role may not read it.
 */
export async function readHistory(client: Client, schema: string): Promise<readonly RecordedRow[] | undefined> {
  const query = `SELECT id, migration_name, checksum, ${isoTime("started_at")}, ${isoTime("finished_at")}, ${isoTime("rolled_back_at")},
    applied_steps_count, CASE WHEN finished_at IS NULL AND rolled_back_at IS NULL THEN logs END
    FROM ${historyTable(schema)} ORDER BY started_at, migration_name`
  const result = await client.query<Cell[]>({ text: query, rowMode: "array" }).catch((error: unknown) => {
    const state = sqlstateOf(error)
    if (state === "42P01" || state === "3F000") return undefined
    if (state === "42501") throw closedTable(schema, error)
    throw state === "42703" ? strangeTable(schema, error) : error
  })
  if (result === undefined) return undefined
  const rows = result.rows.flatMap((cells) => parseRow(cells) ?? [])
  if (rows.length < result.rows.length) throw strangeTable(schema, new Error("a row lacks a value"))
  return rows
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
