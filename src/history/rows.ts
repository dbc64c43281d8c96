import pg from "pg"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteLiteral } from "../postgres/quote.js"
import type { Adoption } from "./adoption.js"
import { digestOf, type FolderMigration } from "./folder.js"
import { isMigrationLock, lockKey } from "./lock.js"
import { createHistoryTable, hasFailed, historyTable, isApplied, readHistory } from "./recorded.js"
import { replacedNames, rowIdFor } from "./squash.js"

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

/** SQL that fails unless the server process `pid` runs it and still holds the migration lock. */
export const lockHeld = (pid: number): string =>
  `SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid=${pid} AND pid=pg_catalog.pg_backend_pid() ` +
  `AND ${isMigrationLock}) THEN '1' ELSE ${fails("lock")} END::int`

/**
 * A number, or an error where the lock went while the migration ran. It takes the lock for the transaction as well:
 * where no session has it, no other gets it before COMMIT.
 */
const underLock = (pid: number, value: number): string =>
  `CASE WHEN pg_catalog.pg_backend_pid()=${pid} AND pg_catalog.pg_try_advisory_xact_lock(${lockKey}) THEN '${value}' ELSE ${fails("lock")} END::int`

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
const finishedOnce = ({ schema, id }: RowKey, name: string): string =>
  `SELECT CASE WHEN pg_catalog.count(*) FILTER (WHERE id=${quoteLiteral(id)})=0 THEN ${fails("row")} WHEN pg_catalog.count(*)>1 THEN ${fails("twice")} ` +
  `ELSE pg_catalog.max(pg_catalog.round(extract(epoch FROM finished_at-started_at)*1000))::text END::int AS ${durationColumn} ` +
  `FROM ${historyTable(schema)} WHERE migration_name=${quoteLiteral(name)} AND finished_at IS NOT NULL AND rolled_back_at IS NULL`

/** Fails unless the row is kept, unfinished, with so many steps. */
const keptAt = ({ schema, id }: RowKey, steps: number): string =>
  `SELECT CASE pg_catalog.count(*) WHEN 1 THEN '1' ELSE ${fails("row")} END::int FROM ${historyTable(schema)} ` +
  `WHERE id=${quoteLiteral(id)} AND applied_steps_count=${steps} AND finished_at IS NULL AND rolled_back_at IS NULL`

/** Before a check: a trigger that is deferred until COMMIT could remove the row after it. */
const runDeferred = "SET CONSTRAINTS ALL IMMEDIATE;"

/** The row of a migration that is done, as Prisma writes it, and its check. `started`: SQL. */
export const finishedRow = (key: RowKey, { name, checksum }: FolderMigration, started: string): string =>
  `INSERT INTO ${historyTable(key.schema)} (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
  `VALUES ('${key.id}','${checksum}',pg_catalog.clock_timestamp(),${quoteLiteral(name)},${started},${underLock(key.pid, 1)});${runDeferred}` +
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

/** What can keep a row out of the history table or hide it, in words: the trigger x, the rule y, row-level security. */
export async function findRowFilters(client: Client, schema: string): Promise<readonly string[]> {
  const { rows } = await client.query<{ what: string }>({ text: filtersQuery, values: [historyTable(schema)] })
  return rows.map(({ what }) => what)
}

const filtersQuery = `SELECT format('the trigger %I', tgname) AS what FROM pg_trigger
    WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D'
  UNION ALL SELECT format('the rule %I', rulename) FROM pg_rewrite WHERE ev_class = to_regclass($1)
  UNION ALL SELECT format('the row-level security policy %I', polname) FROM pg_policy WHERE polrelid = to_regclass($1)
  UNION ALL SELECT 'row-level security' FROM pg_class c WHERE oid = to_regclass($1) AND relrowsecurity
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)`

const nothing = "nothing was touched."

/**
 * Records that what a failed migration did has been removed from the database, so that the next deploy runs it; a second
 * time it changes nothing.
 * Errors: L1107 it is not in the history, L1109 it has not failed. Source: Prisma's `migrate resolve --rolled-back`.
 */
export async function markRolledBack(client: Client, schema: string, name: string): Promise<void> {
  const rows = ((await readHistory(client, schema)) ?? []).filter((row) => row.name === name)
  if (rows.length === 0)
    throw new LockstepError("L1107", `${name} is not in the history`, { state: nothing, next: "`lockstep status`" })
  if (rows.some(isApplied) && !rows.some(hasFailed)) {
    throw new LockstepError("L1109", `${name} has not failed, so it cannot be marked as rolled back`, {
      state: nothing,
      next: "to revert an applied migration: `lockstep undo`",
    })
  }
  await client.query(rollBack(schema, name))
}

/**
 * Records a migration as applied without running it: after a failure that was fixed by hand, or for a database that
 * adopts a history; where there is no history table it is made. A squashed one takes the place of what it replaces.
 * Errors: L1109 it is applied already. Source: Prisma's `migrate resolve --applied`.
 */
export async function markApplied(client: Client, schema: string, migration: FolderMigration): Promise<void> {
  const recorded = await readHistory(client, schema)
  if (recorded === undefined) return await adopt(client, schema, [migration])
  if (migration.squash !== undefined && recorded.every(({ checksum }) => checksum !== migration.checksum)) {
    const names = replacedNames(migration.squash.replaces).map(quoteLiteral)
    const gone = `DELETE FROM ${historyTable(schema)} WHERE migration_name IN (${names.join(",")})`
    await client.query(`BEGIN;${gone};${applied(schema, migration)};COMMIT`)
    return
  }
  if (recorded.some((row) => row.name === migration.name && isApplied(row))) {
    throw new LockstepError("L1109", `${migration.name} is already applied`, {
      state: nothing,
      next: "`lockstep status`",
    })
  }
  await client.query(`BEGIN;${rollBack(schema, migration.name)};${applied(schema, migration)};COMMIT`)
}

/**
 * Marks all but the first row of an applied migration as rolled back, which Prisma passes over, too. Resolves to how many
 * these are.
 */
export async function keepOneRow(client: Client, schema: string, name: string): Promise<number> {
  const rows = (await readHistory(client, schema))?.filter((row) => row.name === name && isApplied(row)) ?? []
  const ids = rows.slice(1).map(({ id }) => quoteLiteral(id))
  if (ids.length > 0) {
    await client.query(`UPDATE ${historyTable(schema)} SET rolled_back_at=now() WHERE id IN (${ids.join(",")})`)
  }
  return ids.length
}

/** Records migrations as applied in a database that has no history yet; the table is made. */
export async function adopt(client: Client, schema: string, migrations: readonly FolderMigration[]): Promise<void> {
  await client.query(
    ["BEGIN", createHistoryTable(schema), ...migrations.map((one) => applied(schema, one)), "COMMIT"].join(";"),
  )
}

const rollBack = (schema: string, name: string): string =>
  `UPDATE ${historyTable(schema)} SET rolled_back_at=now() WHERE migration_name=${quoteLiteral(name)} AND finished_at IS NULL AND rolled_back_at IS NULL`

/** As Prisma's engine writes it: both times equal, no step, and logs that are empty instead of absent. */
const applied = (schema: string, migration: FolderMigration): string =>
  `INSERT INTO ${historyTable(schema)} (id,checksum,migration_name,started_at,finished_at,logs,applied_steps_count) ` +
  `SELECT '${rowIdFor(migration, digestOf)}','${migration.checksum}',${quoteLiteral(migration.name)},moment,moment,'',0 FROM clock_timestamp() AS moment`

/**
 * SQL that puts a squashed migration's row in the place of the rows of what it replaces, in one transaction, and its
 * check; `pid` holds the migration lock. It keeps the times of the last one, so that later rows stay later.
 */
export function adoptRows(pid: number, schema: string, { migration, names, last }: Adoption): string {
  const key: RowKey = { pid, schema, id: rowIdFor(migration, digestOf) }
  const { name, checksum } = migration
  const table = historyTable(schema)
  return (
    `BEGIN;${lockHeld(pid)};INSERT INTO ${table} (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
    `SELECT '${key.id}','${checksum}',finished_at,${quoteLiteral(name)},started_at,${underLock(pid, 1)} FROM ${table} WHERE id=${quoteLiteral(last.id)};` +
    `DELETE FROM ${table} WHERE migration_name IN (${[name, ...names].map(quoteLiteral).join(",")}) AND id<>'${key.id}';` +
    `${runDeferred}${finishedOnce(key, name)};COMMIT`
  )
}
