import pg from "pg"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteLiteral } from "../postgres/quote.js"
import type { Adoption } from "./adoption.js"
import { digestOf, type FolderMigration } from "./folder.js"
import { isMigrationLock, lockKey } from "./lock.js"
import { historyTable } from "./recorded.js"
import { rowIdFor } from "./squash.js"

/** What a check in the SQL below found: the text of a cast that fails, which PostgreSQL quotes whatever its language. */
const findings = {
  lock: "lockstep: this session does not hold the migration lock",
  twice: "lockstep: this migration is already recorded",
  row: "lockstep: the history row was not kept",
} as const

type Finding = keyof typeof findings

/** The check that failed, where an error is one of theirs. */
export function findingOf(error: unknown): Finding | undefined {
  if (!(error instanceof pg.DatabaseError) || error.code !== "22P02") return undefined
  const kinds: readonly Finding[] = ["lock", "twice", "row"]
  return kinds.find((kind) => error.message.includes(findings[kind]))
}

const fails = (finding: Finding): string => `'${findings[finding]}'`

const ownLock = (pid: number): string =>
  `(SELECT FROM pg_catalog.pg_locks WHERE pid=${pid} AND pid=pg_catalog.pg_backend_pid() AND ${isMigrationLock})`

/** SQL that fails unless the server process `pid` runs it and still holds the migration lock. */
export const lockHeld = (pid: number): string =>
  `SELECT CASE WHEN EXISTS ${ownLock(pid)} THEN '1' ELSE ${fails("lock")} END::int`

/**
 * SQL for a number, or an error's text where the lock went while the migration ran. It takes the lock for the transaction
 * as well: where no session has it, no other gets it before COMMIT.
 */
const whileLocked = (pid: number, value: number): string =>
  `CASE WHEN pg_catalog.pg_backend_pid()=${pid} AND pg_catalog.pg_try_advisory_xact_lock(${lockKey}) THEN '${value}' ELSE ${fails("lock")} END`

const underLock = (pid: number, value: number): string => `${whileLocked(pid, value)}::int`

/**
 * The same at the end of a migration's own transaction. One that does not see what others commit meanwhile would not see
 * the row of a deployer that had the lock for a while: there the session must still hold it.
 */
const stillLocked = (pid: number, value: number): string =>
  `CASE WHEN pg_catalog.current_setting('transaction_isolation') IN ('read committed','read uncommitted') OR EXISTS ${ownLock(pid)} ` +
  `THEN ${whileLocked(pid, value)} ELSE ${fails("lock")} END::int`

/**
 * SQL that takes the lock for the transaction as well, or fails where another session has it: a statement that releases
 * the session's lock does not let another deployer in.
 */
export const lockTransaction = (pid: number): string => `SELECT ${underLock(pid, 1)}`

/** SQL that takes the lock for the session again, under the transaction's, where a statement has released it. */
const lockSession = `SELECT pg_catalog.pg_try_advisory_lock(${lockKey});`

/** A history row that a session writes: the session's server process, and the row's id. */
export interface RowKey {
  readonly pid: number
  readonly schema: string
  readonly id: string
}

/** Unlike any column that a migration selects. */
export const durationColumn = "lockstep_duration_ms"

/** Fails unless the row is kept as the only finished one of its name; gives the milliseconds that it took. */
const finishedOnce = ({ schema, id }: Pick<RowKey, "schema" | "id">, name: string): string =>
  `SELECT CASE WHEN pg_catalog.count(*) FILTER (WHERE id=${quoteLiteral(id)})=0 THEN ${fails("row")} WHEN pg_catalog.count(*)>1 THEN ${fails("twice")} ` +
  `ELSE pg_catalog.max(pg_catalog.round(extract(epoch FROM finished_at-started_at)*1000))::text END::int AS ${durationColumn} ` +
  `FROM ${historyTable(schema)} WHERE migration_name=${quoteLiteral(name)} AND finished_at IS NOT NULL AND rolled_back_at IS NULL`

/** SQL that fails unless so many rows of the history meet a condition. */
export const rowsAre = (count: number, schema: string, condition: string): string =>
  `SELECT CASE pg_catalog.count(*) WHEN ${count} THEN '1' ELSE ${fails("row")} END::int FROM ${historyTable(schema)} WHERE ${condition}`

/** Fails unless the row is kept, unfinished, with so many steps. */
const keptAt = ({ schema, id }: RowKey, steps: number): string =>
  rowsAre(
    1,
    schema,
    `id=${quoteLiteral(id)} AND applied_steps_count=${steps} AND finished_at IS NULL AND rolled_back_at IS NULL`,
  )

/** Before a check: a trigger that is deferred until COMMIT could remove the row after it. */
export const runDeferred = "SET CONSTRAINTS ALL IMMEDIATE;"

/** The row of a migration that is done, as Prisma writes it, and its check. `started`: SQL. */
export const finishedRow = (key: RowKey, { name, checksum }: FolderMigration, started: string): string =>
  `INSERT INTO ${historyTable(key.schema)} (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
  `VALUES ('${key.id}','${checksum}',pg_catalog.clock_timestamp(),${quoteLiteral(name)},${started},${stillLocked(key.pid, 1)});${runDeferred}` +
  finishedOnce(key, name)

/** When a row's migration was finished, as SQL. */
export const finishedAt = (schema: string, id: string): string =>
  `(SELECT finished_at FROM ${historyTable(schema)} WHERE id=${quoteLiteral(id)})`

/** The row of a migration that begins, and its check: without `finished_at` it counts as failed until it is done. */
export const startedRow = (key: RowKey, { name, checksum }: FolderMigration, logs: string): string =>
  `INSERT INTO ${historyTable(key.schema)} (id,checksum,migration_name,started_at,applied_steps_count,logs) ` +
  `VALUES ('${key.id}','${checksum}',${quoteLiteral(name)},pg_catalog.clock_timestamp(),${underLock(key.pid, 0)},${quoteLiteral(logs)});${runDeferred}` +
  keptAt(key, 0)

/**
 * Records how many statements are done, as the URL's role whatever role the migration has set, and its check. The last
 * statement may have released the session's lock.
 */
export const stepsDone = (key: RowKey, steps: number, logs: string): string =>
  `SET LOCAL ROLE NONE;UPDATE ${historyTable(key.schema)} SET applied_steps_count=${underLock(key.pid, steps)},logs=${quoteLiteral(logs)} ` +
  `WHERE id=${quoteLiteral(key.id)};${lockSession}${runDeferred}${keptAt(key, steps)}`

/** Turns the row of a migration that begins into that of one that is done, and checks it. */
export const finishRow = (key: RowKey, { name, checksum }: FolderMigration): string =>
  `UPDATE ${historyTable(key.schema)} SET finished_at=pg_catalog.clock_timestamp(),applied_steps_count=${underLock(key.pid, 1)},` +
  `logs=NULL,checksum='${checksum}' WHERE id=${quoteLiteral(key.id)};${runDeferred}${finishedOnce(key, name)}`

/** Records why a migration stopped, where Prisma records it. */
export const failedRow = ({ schema, id }: Pick<RowKey, "schema" | "id">, logs: string): string =>
  `UPDATE ${historyTable(schema)} SET logs=${quoteLiteral(logs)} WHERE id=${quoteLiteral(id)}`

/** SQL for how many of the rows with the ids of an array parameter are committed. */
export const committedRows = (schema: string, ids: string): string =>
  `(SELECT count(*) FROM ${historyTable(schema)} WHERE id = ANY (${ids}))`

/** Whose row is not kept, where its SQL is, and the database's state. */
interface NotKept {
  readonly schema: string
  readonly name: string
  /** The migration.sql, where that was being applied. */
  readonly file?: string
  readonly state: string
}

/**
 * L1018: the history table takes what is written to it for a migration and does not keep or show it, with what on the
 * table may be the cause.
 */
export async function notKept(client: Client, { schema, name, file, state }: NotKept): Promise<LockstepError> {
  const table = historyTable(schema)
  const found = await findRowFilters(client, schema)
  const none = `${table} has no trigger, rule or policy now${file ? ": the migration itself makes what keeps the row out" : ""}.`
  const again = `then run the same ${file ? "deploy" : "command"} again`
  return new LockstepError("L1018", `the history table does not keep the row of ${name}`, {
    file,
    hint: found.length > 0 ? `${table} has ${found.join(", ")}.` : none,
    state,
    next:
      found.length > 0
        ? `drop what keeps the row out or hides it from this role, ${again}`
        : file
          ? `fix the file, ${again}.`
          : "run the same command again",
  })
}

/** What can keep a row out of the history table or hide it, in words: the trigger x, the rule y, row-level security. */
async function findRowFilters(client: Client, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ what: string }>({ text: filtersQuery, values: [historyTable(schema)] })
  return rows.map(({ what }) => what)
}

const filtersQuery = `SELECT format('the trigger %I', tgname) AS what FROM pg_trigger
    WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D'
  UNION ALL SELECT format('the rule %I', rulename) FROM pg_rewrite WHERE ev_class = to_regclass($1)
  UNION ALL SELECT format('the row-level security policy %I', polname) FROM pg_policy WHERE polrelid = to_regclass($1)
  UNION ALL SELECT 'row-level security' FROM pg_class c WHERE oid = to_regclass($1) AND relrowsecurity
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)`

/**
 * SQL that puts a squashed migration's row in the place of the rows of what it replaces, in one transaction, and its
 * check; `pid` holds the migration lock. It keeps the times of the last one, so that later rows stay later.
 */
export function adoptRows(pid: number, schema: string, { migration, names, last }: Adoption): string {
  const key: RowKey = { pid, schema, id: rowIdFor(migration, digestOf) }
  const { name, checksum } = migration
  const table = historyTable(schema)
  const others = `migration_name IN (${[name, ...names].map(quoteLiteral).join(",")}) AND id<>'${key.id}'`
  return (
    `BEGIN;${lockHeld(pid)};INSERT INTO ${table} (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
    `SELECT '${key.id}','${checksum}',finished_at,${quoteLiteral(name)},started_at,${underLock(pid, 1)} FROM ${table} WHERE id=${quoteLiteral(last.id)};` +
    `DELETE FROM ${table} WHERE ${others};${runDeferred}${rowsAre(0, schema, others)};${finishedOnce(key, name)};COMMIT`
  )
}
