import { setTimeout as wait } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"

/** The statement with which the engine takes Prisma's migration lock. */
export const takesLock = /^\s*SELECT pg_advisory_lock\(72707369\)\s*$/

/** As long as Prisma's engine waits. */
const patienceMs = 10_000

/**
 * Takes Prisma's migration lock by asking again and again: a session that waits inside PostgreSQL keeps a snapshot, and
 * would deadlock with another's CREATE INDEX CONCURRENTLY. Errors: L1409 it was not had within 10 s.
 */
export async function pollForLock(client: Client): Promise<void> {
  const end = Date.now() + patienceMs
  for (;;) {
    const { rows } = await client.query<{ had: string }>("SELECT pg_try_advisory_lock(72707369) AS had")
    if (rows[0]?.had === "t") return
    if (Date.now() > end) {
      throw new LockstepError("L1409", "another process holds the migration lock", {
        state: "nothing was touched.",
        next: "wait for it to end, then run the same command again",
      })
    }
    await wait(100)
  }
}
