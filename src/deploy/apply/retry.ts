import type { Client } from "../../postgres/connect.js"
import { effects } from "../../sql/effects.js"
import { statementAt } from "../../sql/parse.js"
import { quoted } from "../../sql/tree.js"
import type { DeployRequest } from "../context.js"
import type { Refusal } from "../failure.js"
import type { Prepared } from "./prepare.js"

/** Why a statement did not get through, and how long the next attempt is to wait for locks. */
export interface Obstacle {
  /** In one line: the statement, the lock it wants, and the sessions in its way. */
  readonly reason: string
  /** SQL that sets it. */
  readonly lockTimeout: string
}

/**
 * Looks for what keeps a statement from its lock. PostgreSQL ends an autovacuum that is in the way, but only after
 * deadlock_timeout (1 s by default): then the next attempt waits for so long.
 * Source: PostgreSQL's documentation, 24.1.6 "The Autovacuum Daemon".
 */
export async function obstacleOf(
  client: Client,
  prepared: Prepared,
  { error, statement }: Refusal,
  { settings }: DeployRequest,
): Promise<Obstacle> {
  const lockTimeout = `SET lock_timeout=${settings.lockTimeout}`
  if (error.code !== "55P03") return { reason: `${error.message} (${error.code})`, lockTimeout }
  const failed = await statementAt(prepared.sql, statement)
  if (failed === undefined) return { reason: error.message, lockTimeout }
  const wanted = effects(failed.node).flatMap(({ table, lock }) => (table ? [{ table: quoted(table), lock }] : []))
  const holders = await holdersOf(
    client,
    wanted.map(({ table }) => table),
  )
  const line = failed.text.replaceAll(/\s+/g, " ").slice(0, 60)
  const lock = wanted[0] ? ` for ${wanted[0].lock}` : ""
  const held = holders.length > 0 ? `; held by ${holders.map(({ holder }) => holder).join("; ")}` : ""
  return {
    reason: `${line} waited in vain${lock}${held}`,
    lockTimeout: holders.some(({ vacuum }) => vacuum === "t") ? untilAutovacuumYields : lockTimeout,
  }
}

const untilAutovacuumYields = `SELECT set_config('lock_timeout',
  (extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000 + 500)::int::text, false)`

interface Holder {
  readonly holder: string
  readonly vacuum: string
}

async function holdersOf(client: Client, tables: readonly string[]): Promise<readonly Holder[]> {
  const { rows } = await client.query<{ holder: string; vacuum: string }>({
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
