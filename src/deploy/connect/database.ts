import { LockstepError } from "../../errors.js"
import { type Client, connect, connectToServer, isBroken } from "../../postgres/connect.js"
import { mayComeUp } from "../../postgres/connection-error.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import type { ConnectRequest } from "../context.js"
import { lostOr, untouched } from "../failure.js"
import { backoffMs, inTime, pause, unlessInterrupted } from "../interrupt.js"
import { isPooled, refusePooler } from "./pooler.js"

const longestDelayMs = 2000
/** How long to wait for the last answer of a server, when there is nothing left to do. */
const resetMs = 2000
const reportEveryMs = 5000

/**
 * Connects, waiting for a server that may come up and creating a database that does not exist, as Prisma does; then
 * refuses a server that cannot be migrated. `time`: again, after the connection was lost, a standby may be about to be
 * promoted, and is waited for; a database that does not exist is not created, because it existed. Nor is it for work that
 * needs one that exists.
 * Errors: L1210 to L1219 no connection, L1021 a transaction pooler, L1022 a standby or read-only server, L1023 the
 * database cannot be created; ConnectionLost.
 */
export async function openDatabase(
  request: ConnectRequest,
  time: "first" | "again" | "on existing" = "first",
): Promise<Client> {
  const { settings, signal, onEvent } = request
  const started = Date.now()
  let reported = Number.NEGATIVE_INFINITY
  for (let attempt = 0; ; attempt++) {
    try {
      return await openOnce(request)
    } catch (error) {
      const waitedMs = Date.now() - started
      const absent = error instanceof LockstepError && error.code === "L1215" && time === "first"
      if (absent && (attempt === 0 || waitedMs < settings.connectTimeout)) {
        await createDatabase(request)
        await pause(attempt === 0 ? 0 : backoffMs(attempt), signal, untouched)
        continue
      }
      if (!(error instanceof LockstepError) || waitedMs >= settings.connectTimeout) throw error
      if (!mayComeUp(error) && !(time === "again" && error.code === "L1022")) throw error
      if (Date.now() - reported >= reportEveryMs) {
        reported = Date.now()
        onEvent({ event: "waiting-for-database", reason: error.message, waitedMs })
      }
      const left = settings.connectTimeout - waitedMs
      await pause(Math.min(backoffMs(attempt), longestDelayMs, left), signal, untouched)
    }
  }
}

async function openOnce(request: ConnectRequest): Promise<Client> {
  const client = await connectOnce(request)
  try {
    await inspect(client, request)
    return client
  } catch (error) {
    const reason = lostOr(client, error)
    await client.end().catch(() => undefined)
    throw reason
  }
}

/** A connection that is opened after an interrupt is closed again. */
async function connectOnce({ url, signal, applicationName }: ConnectRequest): Promise<Client> {
  const connecting = connect(url, { applicationName })
  return await unlessInterrupted(connecting, signal, untouched).catch((error: unknown) => {
    void connecting.then((client) => client.end()).catch(() => undefined)
    throw error
  })
}

async function createDatabase({ url, onEvent, applicationName }: ConnectRequest): Promise<void> {
  const create = `CREATE DATABASE ${quoteIdentifier(url.database)}`
  const maintenance = await connectToServer(url, { applicationName }).catch((cause: unknown) => {
    if (mayComeUp(cause)) return undefined
    throw new LockstepError("L1023", `the database "${url.database}" does not exist and cannot be created`, {
      hint: `Creating it needs a connection to the database "postgres" or "template1": ${cause instanceof Error ? cause.message : cause}`,
      state: untouched,
      next: `create it as a role that may: ${create} OWNER ${quoteIdentifier(url.user)}; or GRANT CONNECT ON DATABASE postgres TO ${quoteIdentifier(url.user)}`,
      cause,
    })
  })
  if (maintenance === undefined) return
  try {
    await maintenance.query(create)
    onEvent({ event: "database-created", database: url.database })
  } catch (cause) {
    // Another deployer creates it: it exists already, is created at the same moment, or template1 is being copied.
    if (["42P04", "23505", "55006"].includes(sqlstateOf(cause) ?? "")) return
    throw new LockstepError("L1023", `the database "${url.database}" does not exist and cannot be created`, {
      sqlstate: sqlstateOf(cause),
      hint: cause instanceof Error ? cause.message : undefined,
      state: untouched,
      next: `create it as a role that may: ${create} OWNER ${quoteIdentifier(url.user)}`,
      cause,
    })
  } finally {
    await maintenance.end().catch(() => undefined)
  }
}

/** Refuses a server that cannot be migrated. Errors: L1021 a transaction pooler, L1022 a standby or read-only server. */
export async function inspect(client: Client, request: ConnectRequest): Promise<void> {
  const result = await client.query<{ standby: string; readonly: string; pid: string }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS readonly, pg_backend_pid() AS pid`,
  )
  const [found] = result.rows
  const where = request.url.display
  if (found?.standby === "t") {
    throw new LockstepError("L1022", `${where} is a standby: it accepts no writes`, {
      state: untouched,
      next: "point DATABASE_URL at the primary",
    })
  }
  if (found?.readonly === "on") {
    throw new LockstepError("L1022", `${where} is read-only (default_transaction_read_only is on)`, {
      state: untouched,
      next: `ALTER ROLE ${quoteIdentifier(request.url.user)} SET default_transaction_read_only = off, or use a role that may write`,
    })
  }
  const pid = Number(found?.pid)
  if (!isPooled(client, pid)) return
  await refusePooler(client, pid, request)
  // An earlier client of the pool may have left something: a deployer that was killed, its lock.
  await client.query("DISCARD ALL")
}

/**
 * Closes a connection. A pooler may keep the server's session for its next client: the lock is released and the session
 * reset first.
 */
export async function closeDatabase(client: Client): Promise<void> {
  const reset = async () => {
    if (client.getTransactionStatus() !== "I") await client.query("ROLLBACK")
    await client.query("DISCARD ALL")
  }
  if (!isBroken(client)) await inTime(reset(), resetMs).catch(() => undefined)
  await client.end().catch(() => undefined)
}
