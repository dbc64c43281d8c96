import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { mayComeUp } from "../postgres/connection-error.js"
import { quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"
import { withDatabase } from "../postgres/url.js"
import { backoffMs, pause } from "./interrupt.js"
import { refusePooler } from "./pooler.js"
import type { Connecting } from "./request.js"

const untouched = "nothing was touched."

/**
 * Connects, waiting for a server that may come up and creating a database that does not exist, as Prisma does; then
 * refuses a server that cannot be migrated.
 * Errors: L1210 to L1218 no connection, L1021 a transaction pooler, L1022 a standby or read-only server.
 */
export async function openDatabase(request: Connecting): Promise<Client> {
  const client = await connectPatiently(request)
  try {
    await inspect(client, request)
    return client
  } catch (error) {
    await client.end()
    throw error
  }
}

async function connectPatiently(request: Connecting): Promise<Client> {
  const { url, settings, signal, onEvent, applicationName } = request
  const started = Date.now()
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect(url, { applicationName })
    } catch (error) {
      if (error instanceof LockstepError && error.code === "L1215") {
        await createDatabase(request)
        continue
      }
      const waitedMs = Date.now() - started
      if (!mayComeUp(error) || waitedMs >= settings.connectTimeout) throw error
      onEvent({ event: "waiting-for-database", reason: (error as LockstepError).message, waitedMs })
      await pause(Math.min(backoffMs(attempt), 2000), signal, untouched)
    }
  }
}

async function createDatabase({ url, onEvent, applicationName }: Connecting): Promise<void> {
  const maintenance = await connect(withDatabase(url, "postgres"), { applicationName })
  try {
    await maintenance.query(`CREATE DATABASE ${quoteIdentifier(url.database)}`)
    onEvent({ event: "database-created", database: url.database })
  } catch (cause) {
    // 42P04, or 23505 on pg_database: another deployer was first.
    if (!["42P04", "23505"].includes(sqlstateOf(cause) ?? "")) {
      throw new LockstepError("L1023", `the database "${url.database}" does not exist and cannot be created`, {
        sqlstate: sqlstateOf(cause),
        hint: cause instanceof Error ? cause.message : undefined,
        state: untouched,
        next: `create it as a role that may: CREATE DATABASE ${quoteIdentifier(url.database)} OWNER ${quoteIdentifier(url.user)}`,
        cause,
      })
    }
  } finally {
    await maintenance.end()
  }
}

async function inspect(client: Client, request: Connecting): Promise<void> {
  const result = await client.query<{ standby: string; readonly: string; pid: string }>(
    `SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') AS readonly, pg_backend_pid() AS pid`,
  )
  const [found] = result.rows
  const where = request.url.display
  if (found?.standby === "t") {
    throw new LockstepError("L1022", `${where} is a standby: it takes no writes`, {
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
  await refusePooler(client, Number(found?.pid), request)
}
