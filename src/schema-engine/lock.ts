import { setTimeout as wait } from "node:timers/promises"
import { lockKey, pollForLock, releaseLock } from "../history/lock.js"
import type { Client } from "../postgres/connect.js"

/** Takes Prisma's migration lock on a connection. */
export type TakeLock = (client: Client) => Promise<unknown>

/** The statement with which the engine takes the migration lock. */
export const takesLock = new RegExp(`^\\s*SELECT pg_advisory_lock\\(${lockKey}\\)\\s*$`)

/** Waits as long as it takes, as the engine does. */
export const waitForLock: TakeLock = (client) => pollForLock(client, (ms) => wait(ms))

/**
 * Does work under the lock, which is taken on the connection that does the work: a statement that outlives its client
 * then still holds it.
 */
export async function underLock<T>(client: Client, takeLock: TakeLock, work: () => Promise<T>): Promise<T> {
  await takeLock(client)
  return await work().finally(() => releaseLock(client))
}
