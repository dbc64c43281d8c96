import { LockstepError } from "../../errors.js"
import { type AdvisoryLock, migrationLock, pollForLock } from "../../history/lock.js"
import type { Client } from "../../postgres/connect.js"
import type { ConnectRequest } from "../context.js"
import type { LockHolder } from "../events.js"
import { pause } from "../interrupt.js"

const reportEveryMs = 3000
/** This deploy's own orphaned session is waited for even with --lock-wait 0: it ends when its statement does. */
const orphanTimeoutMs = 30_000

/** Another lock to wait for than the migration lock. */
interface OtherLock {
  readonly lock: AdvisoryLock
  /** The state of an interrupted wait. */
  readonly state: string
  /** The error of a wait that timed out. `waitedMs`: milliseconds; `holder`: undefined where it is not visible. */
  readonly timedOut: (waitedMs: number, holder: LockHolder | undefined) => LockstepError
}

const forMigrations: OtherLock = {
  lock: migrationLock,
  state: "nothing was touched; another deployer holds the migration lock.",
  timedOut,
}

/**
 * Takes the migration lock, or another, waiting up to `lockWait` for who has it. `holder`: after a lost connection this
 * process's own first session may still hold it.
 * Resolves to when the wait began, by the server's clock; undefined where there was none. Errors: L1020 the wait timed
 * out, L1001 interrupted.
 */
export async function takeLock(
  client: Client,
  { settings, signal, onEvent }: Pick<ConnectRequest, "settings" | "signal" | "onEvent">,
  {
    holder = "others",
    other = forMigrations,
  }: { readonly holder?: "others" | "own orphan"; readonly other?: OtherLock } = {},
): Promise<string | undefined> {
  const timeoutMs = holder === "others" ? settings.lockWait : Math.max(settings.lockWait, orphanTimeoutMs)
  const started = Date.now()
  let reported = Number.NEGATIVE_INFINITY
  const pauseFor = async (pollMs: number): Promise<void> => {
    const waitedMs = Date.now() - started
    if (waitedMs >= timeoutMs) throw other.timedOut(waitedMs, await findHolder(client, other.lock))
    if (Date.now() - reported >= reportEveryMs) {
      reported = Date.now()
      onEvent({ event: "waiting-for-lock", waitedMs, holder: await findHolder(client, other.lock) })
    }
    await pause(pollMs, signal, other.state)
  }
  return await pollForLock(client, pauseFor, other.lock)
}

/** For messages only: undefined where the server does not show who holds the lock. */
async function findHolder(client: Client, lock: AdvisoryLock): Promise<LockHolder | undefined> {
  // Before PostgreSQL 12 one of the views does not exist; a lost connection shows at the next poll.
  const found = await client.query<HolderRow>(holderQuery(lock)).catch(() => undefined)
  const row = found?.rows[0]
  if (row === undefined) return undefined
  return {
    pid: Number(row.pid),
    applicationName: row.app,
    address: row.address,
    forMs: Number(row.ms),
    query: row.query,
    percent: row.percent === null ? undefined : Number(row.percent),
  }
}

type HolderRow = Record<"pid" | "app" | "address" | "ms" | "query", string> & { readonly percent: string | null }

const holderQuery = ({
  isHeld,
}: AdvisoryLock): string => `SELECT a.pid, a.application_name AS app, coalesce(host(a.client_addr), 'local') AS address,
    round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.query_start, a.backend_start)) * 1000) AS ms,
    left(split_part(ltrim(a.query, E'- \\n\\r\\t'), E'\\n', 1), 80) AS query,
    (SELECT round(100.0 * p.blocks_done / nullif(p.blocks_total, 0)) FROM pg_stat_progress_create_index p WHERE p.pid = a.pid) AS percent
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
  WHERE ${isHeld} AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`

function timedOut(waitedMs: number, holder: LockHolder | undefined): LockstepError {
  const who = holder
    ? `${holder.applicationName || "a session without a name"} (pid ${holder.pid}, ${holder.address})`
    : "another session"
  return new LockstepError("L1020", `the migration lock is held by ${who}; waited ${Math.round(waitedMs / 1000)} s`, {
    hint: holder ? `It has been running for ${Math.round(holder.forMs / 1000)} s: ${holder.query}` : undefined,
    state: "nothing was touched by this deploy.",
    next: holder
      ? `let it finish and deploy again (or wait longer with --lock-wait); to end it: SELECT pg_terminate_backend(${holder.pid})`
      : "deploy again",
  })
}
