import { lockKey } from "../history/rows.js"
import type { Client } from "../postgres/connect.js"

/** Takes Prisma's migration lock on a connection. */
export type TakeLock = (client: Client) => Promise<unknown>

/** The statement with which the engine takes the migration lock. */
export const takesLock = new RegExp(`^\\s*SELECT pg_advisory_lock\\(${lockKey}\\)\\s*$`)

/** Takes it as the engine does: waiting inside of PostgreSQL. */
export const waitInServer: TakeLock = (client) => client.query(`SELECT pg_advisory_lock(${lockKey})`)

/**
 * Does work under the lock, which is taken on the connection that does the work: a statement that outlives its client
 * then still holds it.
 */
export async function underLock<T>(client: Client, takeLock: TakeLock, work: () => Promise<T>): Promise<T> {
  await takeLock(client)
  return await work().finally(() => client.query(`SELECT pg_advisory_unlock(${lockKey})`).catch(() => undefined))
}
