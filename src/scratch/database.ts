import { randomBytes } from "node:crypto"
import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import { type DatabaseUrl, withDatabase } from "../postgres/url.js"
import { emptyConfigured } from "./configured.js"
import { runScript, type Session, searchPath } from "./script.js"

/** The database beside which a scratch database is made, and what Prisma's configuration says about that. */
export interface ScratchSetting {
  readonly url: DatabaseUrl
  /** datasource.shadowDatabaseUrl: a database to use in place of a new one. It is emptied before each use. */
  readonly shadowUrl?: DatabaseUrl | undefined
  /** migrations.initShadowDb: SQL to run before the first migration. */
  readonly initShadowDb?: string | undefined
  /** A history that is replayed on that server already. */
  readonly history?: ReplayedHistory | undefined
  /** Whether the server is a test database's, where what was replayed may stay for the next command. */
  readonly isTestServer?: boolean | undefined
}

/** The beginning of a history, replayed once: each further use is a copy. */
export interface ReplayedHistory {
  /** What was run there, in order, initShadowDb included. */
  readonly scripts: readonly string[]
  /** The database that is copied. */
  readonly template: string
  /** Opens a copy, or replays it where there is none any more. */
  readonly open: () => Promise<ScratchDatabase>
  /** Opens the template itself, to read it alone; absent where it may not be held. */
  readonly read?: (() => Promise<ScratchDatabase>) | undefined
}

/** Where a scratch database is made; where there is no main database, it is the configured one. */
export type ScratchServer =
  | Pick<ScratchSetting, "url" | "shadowUrl" | "history">
  | { readonly url?: undefined; readonly shadowUrl: DatabaseUrl }

/** An empty database to replay a history in. The URL's schema exists in it. */
export interface ScratchDatabase extends Session {
  /** Opens one more connection to it; the caller ends it. */
  readonly open: () => Promise<Client>
  /** Ends its own connection, so that it can be copied; returns its name. */
  readonly asTemplate: () => Promise<string>
  /** May be called twice. */
  readonly drop: () => Promise<void>
}

/** Does work on a scratch database after initShadowDb has run there, and drops it afterwards whatever happens. */
export async function withScratchDatabase<T>(
  setting: ScratchSetting,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const database = await openScratchDatabase(setting)
  try {
    if (setting.initShadowDb) await runScript(database, setting.initShadowDb)
    return await work(database)
  } finally {
    await database.drop()
  }
}

/**
 * Creates a database on the same server, or empties the configured one.
 * Errors: L1404 it cannot be created, L1405 the configured one is the main database.
 */
export async function openScratchDatabase({ url, shadowUrl }: ScratchServer): Promise<ScratchDatabase> {
  const server = url ?? shadowUrl
  return await prepared(shadowUrl ? await useConfigured(shadowUrl, url) : await create(server), server.schema)
}

/** Creates a database on the server of `url` as a copy of another one there. Errors: L1404 it cannot be created. */
export async function openScratchCopy(url: DatabaseUrl, template: string): Promise<ScratchDatabase> {
  return await prepared(await create(url, template), url.schema)
}

/** Opens a template itself, to read it: no copy can be made of it meanwhile. Dropping it here only ends the connection. */
export async function openTemplate(url: DatabaseUrl, template: string): Promise<ScratchDatabase> {
  const open = () => connect(withDatabase(url, template), { applicationName: "lockstep scratch" })
  const client = await open()
  const drop = once(() => client.end())
  try {
    await client.query(searchPath(url.schema))
    return { client, open, schema: url.schema, asTemplate: () => drop().then(() => template), drop }
  } catch (error) {
    await drop()
    throw error
  }
}

async function prepared(opened: Opened, schema: string): Promise<ScratchDatabase> {
  try {
    await opened.client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}; ${searchPath(schema)}`)
    return { ...opened, schema }
  } catch (error) {
    await opened.drop()
    throw error
  }
}

type Opened = Omit<ScratchDatabase, "schema">

const notDropped = new Set<() => Promise<void>>()

/**
 * Drops every scratch database that this process has created and still uses: for a signal handler, before it ends the
 * process. Returns whether there was one.
 */
export async function dropScratchDatabases(): Promise<boolean> {
  const drops = [...notDropped]
  await Promise.allSettled(drops.map((drop) => drop()))
  return drops.length > 0
}

/** Registers what must be done before the process ends, also by a signal. Returns it, to be done earlier; once is enough. */
export function atEnd(work: () => Promise<void>): () => Promise<void> {
  const done = once(async () => {
    await work().finally(() => notDropped.delete(done))
  })
  notDropped.add(done)
  return done
}

const prefix = "lockstep_scratch_"

/**
 * The connection that creates the database has its name as application_name and stays open as long as the database is
 * used: this is how other processes know that it is not left over from a killed one.
 */
async function create(url: DatabaseUrl, template?: string): Promise<Opened> {
  const name = prefix + randomBytes(8).toString("hex")
  const owner = await connect(url, { applicationName: name })
  let client: Client | undefined
  const drop = once(async () => {
    await client?.end().catch(() => undefined)
    const dropping = owner.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)} WITH (FORCE)`)
    await dropping.finally(() => owner.end())
    notDropped.delete(drop)
  })
  notDropped.add(drop)
  try {
    // The URL may set an application_name, which would win over the one given above.
    await owner.query(`SET application_name TO ${quoteIdentifier(name)}`)
    await dropLeftOver(owner)
    const copy = template === undefined ? "" : ` TEMPLATE ${quoteIdentifier(template)}`
    await createAs(owner, `CREATE DATABASE ${quoteIdentifier(name)}${copy}${await quickStrategy(owner)}`)
    const open = () => connectUnflushed(withDatabase(url, name))
    client = await open().catch(notReached)
    const asTemplate = async (): Promise<string> => {
      await client?.end()
      return name
    }
    return { client, open, asTemplate, drop }
  } catch (error) {
    await drop().catch(() => undefined)
    throw error
  }
}

/**
 * Where nothing is synced to disk, copied files take half as long as logged blocks (PostgreSQL 15 and later), for all the
 * checkpoints that they need. Source: PostgreSQL's documentation, CREATE DATABASE, STRATEGY.
 */
async function quickStrategy(owner: Client): Promise<string> {
  const asked = `SELECT current_setting('server_version_num')::int >= 150000 AND NOT current_setting('fsync')::bool AS quick`
  return (await owner.query<{ quick: string }>(asked)).rows[0]?.quick === "t" ? " STRATEGY FILE_COPY" : ""
}

/** A template that another command is at work in can be copied a moment later; PostgreSQL waits five seconds by itself. */
async function createAs(owner: Client, sql: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await owner.query(sql)
      return
    } catch (cause) {
      if (sqlstateOf(cause) !== "55006" || attempt === 3) throw notCreated(cause)
    }
  }
}

/** No commit waits for the disk: it need not survive a crash. PgBouncer refuses such a parameter (08P01) by default. */
async function connectUnflushed(url: DatabaseUrl): Promise<Client> {
  const open = (options: string | undefined) => connect({ ...url, options }, { applicationName: "lockstep scratch" })
  return await open(`${url.options ?? ""} -c synchronous_commit=off`).catch((error: unknown) => {
    if (error instanceof LockstepError && error.details.sqlstate === "08P01") return open(url.options)
    throw error
  })
}

/** Drops what killed processes left. It may fail where another process does the same, or the role is not the owner. */
async function dropLeftOver(owner: Client): Promise<void> {
  const { rows } = await owner.query<{ datname: string }>(
    `SELECT datname FROM pg_database d WHERE datname LIKE $1 AND NOT EXISTS
     (SELECT FROM pg_stat_activity a WHERE a.datname = d.datname OR a.application_name = d.datname)`,
    [`${prefix.replaceAll("_", "\\_")}%`],
  )
  for (const { datname } of rows) {
    await owner.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(datname)}`).catch(() => undefined)
  }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}

const notCreated = (cause: unknown): LockstepError =>
  new LockstepError("L1404", "the scratch database cannot be created", {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : String(cause),
    state: "nothing was touched.",
    next: "give the role CREATEDB, or name an empty database in prisma.config's datasource.shadowDatabaseUrl",
    cause,
  })

/** The server has just created it: what refuses it by its name is a pooler that serves listed databases, or pg_hba.conf. */
function notReached(cause: unknown): never {
  const sqlstate = cause instanceof LockstepError ? cause.details.sqlstate : undefined
  if (sqlstate === undefined || !["08P01", "28000", "3D000"].includes(sqlstate)) throw cause
  throw new LockstepError("L1404", "the scratch database is created, but cannot be connected to", {
    sqlstate,
    hint: `${cause instanceof Error ? cause.message : cause}\nA pooler may serve only the databases that its configuration names, and so may pg_hba.conf.`,
    state: "the scratch database is dropped again; nothing else was touched.",
    next: "set DATABASE_URL to the database's direct address, or name an empty database in prisma.config's datasource.shadowDatabaseUrl",
    cause,
  })
}

async function useConfigured(configured: DatabaseUrl, main: DatabaseUrl | undefined): Promise<Opened> {
  const open = () => connect(configured, { applicationName: "lockstep scratch" })
  const client = await open()
  try {
    await emptyConfigured(client, configured, main)
  } catch (error) {
    await client.end()
    throw error
  }
  return {
    client,
    open,
    asTemplate: () =>
      Promise.reject(new LockstepError("L1404", "the configured shadow database cannot be kept as a template")),
    drop: once(() => client.end()),
  }
}
