import { randomBytes } from "node:crypto"
import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"
import { type DatabaseUrl, withDatabase } from "../postgres/url.js"
import { dropOnSignal } from "./interrupt.js"
import { emptyDatabase, refuseSameDatabase } from "./shadow-given.js"

/** A database to replay the history in; `drop` may be called twice. */
export interface Shadow {
  readonly client: Client
  readonly drop: () => Promise<void>
}

const prefix = "lockstep_shadow_"

/**
 * A really separate, empty database: the configured one (`shadowDatabaseUrl`), emptied; or a new one on the same server.
 * The owner's connection carries the database's name as application_name for as long as it lives; by that, others
 * tell a shadow in use from one whose process was killed.
 * Errors: L1404 it cannot be created, L1405 the configured one is the main database.
 */
export function openShadow(url: DatabaseUrl, given: DatabaseUrl | undefined): Promise<Shadow> {
  return given ? useGiven(url, given) : create(url)
}

async function create(url: DatabaseUrl): Promise<Shadow> {
  const name = prefix + randomBytes(8).toString("hex")
  const owner = await connect(url, { applicationName: name })
  let client: Client | undefined
  const drop = once(async () => {
    await client?.end().catch(() => undefined)
    await dropDatabase(owner, name).finally(() => owner.end())
  })
  const forget = dropOnSignal(drop)
  try {
    // The URL's own application_name would win over the name that marks this shadow as in use.
    await owner.query(`SET application_name TO ${quoteIdentifier(name)}`)
    await sweep(owner)
    await owner.query(`CREATE DATABASE ${quoteIdentifier(name)}`).catch((cause) => Promise.reject(refused(cause)))
    client = await connect(carefree(withDatabase(url, name)), { applicationName: "lockstep shadow" })
  } catch (error) {
    await drop().catch(() => undefined)
    throw error
  } finally {
    if (!client) forget()
  }
  return { client, drop: () => drop().finally(forget) }
}

/** Nobody minds if a crash of the server takes a shadow with it, so no commit waits for the disk. */
const carefree = (url: DatabaseUrl): DatabaseUrl => ({
  ...url,
  options: [url.options, "-c synchronous_commit=off"].filter(Boolean).join(" "),
})

async function useGiven(url: DatabaseUrl, given: DatabaseUrl): Promise<Shadow> {
  const client = await connect(given, { applicationName: "lockstep shadow" })
  try {
    await refuseSameDatabase(url, client)
    await emptyDatabase(client)
  } catch (error) {
    await client.end()
    throw error
  }
  return { client, drop: once(() => client.end()) }
}

/** Drops the shadows whose owners are gone. Another sweeper, or a role that may not, is no reason to fail. */
async function sweep(owner: Client): Promise<void> {
  const { rows } = await owner.query<{ datname: string }>(
    `SELECT datname FROM pg_database d WHERE datname LIKE $1 AND NOT EXISTS
     (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname OR a.application_name = d.datname)`,
    [`${prefix.replaceAll("_", "\\_")}%`],
  )
  for (const { datname } of rows) {
    await owner.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(datname)}`).catch(() => undefined)
  }
}

async function dropDatabase(owner: Client, name: string): Promise<void> {
  await owner.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [name])
  await owner.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`)
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

function refused(cause: unknown): LockstepError {
  return new LockstepError("L1404", "the shadow database cannot be created", {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : String(cause),
    state: "nothing was touched.",
    next: "give the role CREATEDB, or name an empty database of its own in prisma.config's datasource.shadowDatabaseUrl",
    cause,
  })
}
