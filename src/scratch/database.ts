import { randomBytes } from "node:crypto"
import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"
import { type DatabaseUrl, withDatabase } from "../postgres/url.js"

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

/** Two connections are to one database when the servers started at the same microsecond and the OIDs agree. */
const identity = `SELECT pg_postmaster_start_time()::text || oid AS identity
  FROM pg_database WHERE datname = current_database()`

/** Errors: L1405 the configured shadow database is the main one: replaying the history there would destroy it. */
async function refuseSameDatabase(main: DatabaseUrl, shadow: Client): Promise<void> {
  const client = await connect(main).catch(() => undefined)
  if (!client) return
  try {
    const answers = await Promise.all([client, shadow].map((each) => each.query<{ identity: string }>(identity)))
    const [here, there] = answers.map(({ rows }) => rows[0]?.identity)
    if (here !== there) return
  } finally {
    await client.end()
  }
  throw new LockstepError("L1405", "the configured shadow database is the main database", {
    state: "nothing was touched.",
    next: "name another, empty database in prisma.config's datasource.shadowDatabaseUrl, or leave it out",
  })
}

/** Drops what an earlier replay left: every schema but the system's, then gives `public` back. */
async function emptyDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ nspname: string }>(
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
  )
  const drops = rows.map(({ nspname }) => `DROP SCHEMA ${quoteIdentifier(nspname)} CASCADE;`)
  await client.query(`${drops.join("\n")}\nCREATE SCHEMA public`)
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

const drops = new Set<() => Promise<void>>()
let listening: (() => void) | undefined
let owned = false

/** For a process boundary that listens to signals itself and calls `dropShadows` before it exits. */
export function ownSignals(): void {
  owned = true
}

/**
 * Runs `drop` when the process is told to end, and ends it after that with the signal's exit code.
 * The answer takes it off the list again; with an empty list the process keeps its usual signal behaviour.
 */
function dropOnSignal(drop: () => Promise<void>): () => void {
  drops.add(drop)
  if (!owned) listening ??= listen()
  return () => {
    drops.delete(drop)
    if (drops.size > 0) return
    listening?.()
    listening = undefined
  }
}

/** Drops every shadow database that this process still has: for a signal handler that exits by itself. */
export async function dropShadows(): Promise<void> {
  await Promise.allSettled([...drops].map((drop) => drop()))
}

function listen(): () => void {
  const end = (signal: keyof typeof exitCodes): void => {
    void dropShadows().finally(() => process.exit(exitCodes[signal]))
  }
  for (const signal of signals) process.on(signal, end)
  return () => {
    for (const signal of signals) process.off(signal, end)
  }
}
