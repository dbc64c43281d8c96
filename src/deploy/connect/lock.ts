import { LockstepError } from "../../errors.js"
import { isoTime } from "../../history/recorded.js"
import { lockKey } from "../../history/rows.js"
import type { Client } from "../../postgres/connect.js"
import type { Connecting } from "../context.js"
import type { LockHolder } from "../events.js"
import { pause } from "../interrupt.js"

const firstPollMs = 50
const longestPollMs = 500
const speakEveryMs = 3000
/** An own orphan is waited for even where others are not: it ends when its statement does. */
const orphanPatienceMs = 30_000

const holders = new WeakMap<Client, number>()

/** The server process that holds the migration lock for this connection; 0, which none is, where it was never taken. */
export const lockHolder = (client: Client): number => holders.get(client) ?? 0

/**
 * Takes Prisma's advisory lock on this connection, which is the one that runs the statements, so that an orphaned
 * statement still holds it. It polls, because the snapshot of a blocking pg_advisory_lock would deadlock with another
 * deployer's CREATE INDEX CONCURRENTLY, which waits for all older snapshots.
 * `holder`: after a lost connection this deploy's own first session may hold it still.
 * Resolves to when the wait began, by the server's clock; undefined where there was none. Errors: L1020 the wait is
 * over, L1001 interrupted.
 */
export async function takeLock(
  client: Client,
  { settings, signal, onEvent }: Connecting,
  holder: "others" | "own orphan" = "others",
): Promise<string | undefined> {
  const patienceMs = holder === "others" ? settings.lockWait : Math.max(settings.lockWait, orphanPatienceMs)
  const started = Date.now()
  let spoken = started
  let since: string | undefined
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, longestPollMs)) {
    const { rows } = await client.query<{ got: string; pid: string; at: string }>(
      `SELECT pg_try_advisory_lock(${lockKey}) AS got, pg_backend_pid() AS pid, ${isoTime("clock_timestamp()")} AS at`,
    )
    const waitedMs = Date.now() - started
    if (rows[0]?.got === "t") {
      holders.set(client, Number(rows[0].pid))
      return since
    }
    since ??= rows[0]?.at
    if (waitedMs >= patienceMs) throw timedOut(waitedMs, await findHolder(client))
    if (spoken === started || Date.now() - spoken >= speakEveryMs) {
      spoken = Date.now()
      onEvent({ event: "waiting-for-lock", waitedMs, holder: await findHolder(client) })
    }
    await pause(pollMs, signal, "nothing was touched; another deployer was at work.")
  }
}

/** Only to be told: a server before PostgreSQL 12 has no such progress, and a lost connection shows at the next poll. */
const findHolder = (client: Client): Promise<LockHolder | undefined> => lookForHolder(client).catch(() => undefined)

async function lookForHolder(client: Client): Promise<LockHolder | undefined> {
  const { rows } = await client.query<
    Record<"pid" | "app" | "address" | "ms" | "query", string> & { percent: string | null }
  >(
    `SELECT a.pid, a.application_name AS app, coalesce(host(a.client_addr), 'local') AS address,
       round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start, a.backend_start)) * 1000) AS ms,
       left(split_part(ltrim(a.query, E'- \\n\\r\\t'), E'\\n', 1), 80) AS query,
       (SELECT round(100.0 * p.blocks_done / nullif(p.blocks_total, 0)) FROM pg_stat_progress_create_index p WHERE p.pid = a.pid) AS percent
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.classid = 0 AND l.objid = ${lockKey} AND l.objsubid = 1 AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
  )
  const [row] = rows
  if (row === undefined) return undefined
  const percent = row.percent === null ? undefined : Number(row.percent)
  return {
    pid: Number(row.pid),
    applicationName: row.app,
    address: row.address,
    forMs: Number(row.ms),
    query: row.query,
    percent,
  }
}

function timedOut(waitedMs: number, holder: LockHolder | undefined): LockstepError {
  const who = holder
    ? `${holder.applicationName || "somebody"} (pid ${holder.pid}, ${holder.address})`
    : "another session"
  return new LockstepError("L1020", `the migration lock is held by ${who}; waited ${Math.round(waitedMs / 1000)} s`, {
    hint: holder ? `It has been running for ${Math.round(holder.forMs / 1000)} s: ${holder.query}` : undefined,
    state: "nothing was touched by this deploy.",
    next: holder
      ? `let it finish and deploy again (or wait longer with --lock-wait); to end it: SELECT pg_terminate_backend(${holder.pid})`
      : "deploy again",
  })
}
