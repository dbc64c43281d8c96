import type { Client } from "../../postgres/connect.js"
import { effects } from "../../sql/effects.js"
import { statementAt } from "../../sql/parse.js"
import { quoted } from "../../sql/tree.js"
import type { Prepared } from "./prepare.js"
import type { Refusal } from "./refused.js"

/** What kept a statement from running. */
interface Obstacle {
  /** In one line: the statement, the lock that it waited for, and the sessions that hold it. */
  readonly reason: string
  /** Whether an autovacuum is among them. */
  readonly autovacuum: boolean
}

/** Finds out who held the lock that a statement timed out waiting for. */
export async function obstacleOf(client: Client, prepared: Prepared, { error, statement }: Refusal): Promise<Obstacle> {
  if (error.code !== "55P03") return { reason: `${error.message} (${error.code})`, autovacuum: false }
  const failed = await statementAt(prepared.sql, statement)
  if (failed === undefined) return { reason: error.message, autovacuum: false }
  const wanted = effects(failed.node).flatMap(({ table, lock }) => (table ? [{ table: quoted(table), lock }] : []))
  const holders = await lockHolders(
    client,
    wanted.map(({ table }) => table),
  )
  const line = failed.text.replaceAll(/\s+/g, " ").slice(0, 60)
  // CREATE TABLE waits, with a lock on no table, for a session that creates one of the same name.
  const lock = wanted.map((each) => each.lock).find((mode) => mode !== "none" && mode !== "unknown")
  const held = holders.length > 0 ? `; held by ${holders.map(({ holder }) => holder).join("; ")}` : ""
  return {
    reason: `${line} timed out waiting for ${lock ?? "another session"}${held}`,
    autovacuum: holders.some(({ vacuum }) => vacuum === "t"),
  }
}

/**
 * An SQL expression for the lock_timeout with which PostgreSQL ends an autovacuum that holds the lock: it does so only
 * after deadlock_timeout, which is 1 s by default.
 * Source: PostgreSQL's documentation, 24.1.6 "The Autovacuum Daemon".
 */
export const autovacuumLockTimeout =
  "(extract(epoch FROM pg_catalog.current_setting('deadlock_timeout')::interval) * 1000 + 500)::int::text"

interface Holder {
  readonly holder: string
  readonly vacuum: string
}

/** The sessions that hold a lock on one of these tables, quoted as SQL; three at most. */
export async function lockHolders(client: Client, tables: readonly string[]): Promise<readonly Holder[]> {
  const { rows } = await client.query<Holder>({
    text: `SELECT DISTINCT format('pid %s (%s), %s', a.pid,
        concat_ws(', ', coalesce(nullif(a.application_name, ''), a.backend_type, 'autovacuum worker'), coalesce(host(a.client_addr), 'local')),
        concat_ws(' ', a.state, 'for', round(extract(epoch FROM clock_timestamp() - a.xact_start)), 's')) AS holder,
        coalesce(a.backend_type = 'autovacuum worker', a.usesysid IS NULL) AS vacuum
      FROM unnest($1::text[]) AS wanted(name) JOIN pg_locks l ON l.relation = to_regclass(wanted.name) AND l.granted
      JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.pid <> pg_backend_pid() LIMIT 3`,
    values: [tables],
  })
  return rows
}
