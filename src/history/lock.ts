import type { Client } from "../postgres/connect.js"
import { isoTime } from "./recorded.js"

/** The key of the advisory lock that Prisma's schema engine takes, so that both exclude each other. */
export const lockKey = 72707369

/** An advisory lock of a session, in the database that it is connected to. */
export interface AdvisoryLock {
  /** The arguments of pg_try_advisory_lock(), as SQL. */
  readonly key: string
  /** SQL for the conditions on pg_locks by which the lock is found there. */
  readonly isHeld: string
}

const firstPollMs = 50
const longestPollMs = 500

const holders = new WeakMap<Client, number>()

/** The server process that took the lock for this connection; 0, which none is, where it was never taken. */
export const lockHolder = (client: Client): number => holders.get(client) ?? 0

/**
 * Takes a lock, the migration lock where no other is given, on the connection that is going to run the statements, so that an orphaned statement still
 * holds it. It polls: the snapshot of a blocked pg_advisory_lock would deadlock with another deployer's CREATE INDEX
 * CONCURRENTLY, which waits for all older snapshots. `pause` is called after each failed attempt; what it throws ends
 * the wait. Resolves to when the wait began, by the server's clock; undefined where there was none.
 */
export async function pollForLock(
  client: Client,
  pause: (pollMs: number) => Promise<void>,
  { key }: AdvisoryLock = migrationLock,
): Promise<string | undefined> {
  let since: string | undefined
  for (let pollMs = firstPollMs; ; pollMs = Math.min(pollMs * 1.5, longestPollMs)) {
    const { rows } = await client.query<{ got: string; pid: string; at: string }>(
      `SELECT pg_try_advisory_lock(${key}) AS got, pg_backend_pid() AS pid, ${isoTime("clock_timestamp()")} AS at`,
    )
    if (rows[0]?.got === "t") {
      holders.set(client, Number(rows[0].pid))
      return since
    }
    since ??= rows[0]?.at
    await pause(pollMs)
  }
}

/** Releases the lock once; a lost connection has released it already. */
export async function releaseLock(client: Client): Promise<void> {
  await client.query(`SELECT pg_advisory_unlock(${lockKey})`).catch(() => undefined)
}

/** SQL for the conditions on pg_locks by which the lock is found there. */
export const isMigrationLock = `locktype='advisory' AND classid=0 AND objid=${lockKey} AND objsubid=1 AND granted`

/** Prisma's own. */
export const migrationLock: AdvisoryLock = { key: String(lockKey), isHeld: isMigrationLock }
