import { LockstepError } from "../../errors.js"
import {
  createHistoryTable,
  findExistingObjects,
  historyTable,
  type RecordedRow,
  readHistory,
} from "../../history/recorded.js"
import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import type { DatabaseUrl } from "../../postgres/url.js"
import type { DeployContext, DeployRequest } from "../context.js"
import { untouched } from "../failure.js"
import { cancelledOnSignal, throwIfInterrupted } from "../interrupt.js"

/** How long a statement waits for a session that has locked the history, before it is reported. */
const lockTimeoutMs = 2000

/** SQL for the lock_timeout with which the history is read. */
export const limitLockWait = `SET lock_timeout=${lockTimeoutMs}`

/**
 * Reads or creates the history in a session with a lock_timeout; where another session has locked the table, it says so
 * and waits up to `lockWait`. Errors: L1014 the wait timed out, L1001 interrupted.
 */
export async function whenUnlocked<T>(context: DeployContext, work: () => Promise<T>): Promise<T> {
  const { client, request } = context
  const started = Date.now()
  let reported = started - lockTimeoutMs
  for (;;) {
    try {
      return await cancelledOnSignal(context, work)
    } catch (error) {
      throwIfInterrupted(request.signal, untouched)
      if (sqlstateOf(error) !== "55P03") throw error
      const waitedMs = Date.now() - started
      if (waitedMs >= request.settings.lockWait)
        throw await historyLocked(client, request.url, { waitedMs, cause: error })
      if (Date.now() - reported < lockTimeoutMs) continue
      reported = Date.now()
      request.onEvent({ event: "waiting-for-history", waitedMs, holders: [...(await holdersOf(client, request.url))] })
    }
  }
}

/** L1014: how long was waited for the history, and who has locked it. */
export async function historyLocked(
  client: Client,
  url: DatabaseUrl,
  { waitedMs, cause }: { readonly waitedMs: number; readonly cause: unknown },
): Promise<LockstepError> {
  const seconds = Math.round(waitedMs / 1000)
  const holders = await holdersOf(client, url)
  return new LockstepError("L1014", `timed out after ${seconds} s waiting for a lock on ${historyTable(url.schema)}`, {
    sqlstate: "55P03",
    hint: holders.length > 0 ? `It is held by ${holders.join("; ")}.` : undefined,
    state: untouched,
    next: "run the same command again when that session has ended its transaction",
    cause,
  })
}

/** For messages only: none where the server does not show them. */
async function holdersOf(client: Client, { schema }: DatabaseUrl): Promise<readonly string[]> {
  const { lockHolders } = await import("../apply/retry.js")
  const found = await lockHolders(client, [historyTable(schema)]).catch(() => [])
  return found.map(({ holder }) => holder)
}

/**
 * Reads the history; where there is none, creates the table, and the schema that the URL names, as Prisma does. With
 * nothing to record, nothing is created.
 * Errors: L1103 the database is not empty, L1023 the role may not create them.
 */
export async function openHistory(client: Client, request: DeployRequest): Promise<readonly RecordedRow[]> {
  const { url, folder, settings } = request
  const recorded = await readHistory(client, url.schema)
  if (recorded !== undefined) return recorded
  const hasNothing = folder.migrations.length === 0
  if (!hasNothing || !settings.allowEmpty) await refuseExistingObjects(client, request)
  if (hasNothing) return []
  try {
    const exists = await client.query({ text: "SELECT 1 FROM pg_namespace WHERE nspname = $1", values: [url.schema] })
    if (exists.rows.length === 0) await client.query(`CREATE SCHEMA ${quoteIdentifier(url.schema)}`)
    await client.query(createHistoryTable(url.schema))
    return []
  } catch (cause) {
    throw sqlstateOf(cause) === "42501" ? mayNotCreate(url, cause) : cause
  }
}

function mayNotCreate({ user, schema }: DeployRequest["url"], cause: unknown): LockstepError {
  return new LockstepError("L1023", `the role "${user}" may not create ${historyTable(schema)}`, {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : undefined,
    state: untouched,
    next: `GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(user)}`,
    cause,
  })
}

async function refuseExistingObjects(client: Client, { url: { schema }, external }: DeployRequest): Promise<void> {
  const existingObjects = await findExistingObjects(client, schema, external)
  if (existingObjects === undefined) return
  throw new LockstepError("L1103", `the database is not empty and has no migration history (Prisma's P3005)`, {
    hint: `The schema "${schema}" holds ${existingObjects}.`,
    state: untouched,
    next: "`lockstep baseline`   when the database already is what the migrations make; or point DATABASE_URL at the right database",
  })
}
