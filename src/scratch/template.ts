import { createHash } from "node:crypto"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import { type DatabaseUrl, withDatabase } from "../postgres/url.js"
import { openScratchCopy, openScratchDatabase, type ScratchDatabase } from "./database.js"
import type { ObservedSession } from "./observe.js"
import { installObserver } from "./observer.js"
import { replay, type Step } from "./replay.js"
import { runScript, searchPath } from "./script.js"

/** A server for scratch databases, and what is replayed there before the first migration. */
export interface ReplaySetting {
  /** Any database of the server that exists. */
  readonly url: DatabaseUrl
  /** The schema that unqualified names mean. */
  readonly schema: string
  /** migrations.initShadowDb: SQL to run before the first migration. */
  readonly initShadowDb?: string | undefined
  /** The database that must never be emptied. */
  readonly main: DatabaseUrl
}

/** A scratch database in a history's state, ready to observe statements in. */
export interface ReplayedDatabase extends ObservedSession {
  /** Whether what is committed there stays, so that later replays would find it. */
  readonly isShared: boolean
  /** May be called twice. */
  readonly drop: () => Promise<void>
}

/**
 * "copy": a database of its own, in which anything may be committed. "shared": the template itself, for what is rolled
 * back; a copy of 430 tables takes a second of the server's time.
 */
export type Use = "copy" | "shared"

const prefix = "lockstep_template_"
/** The next plan of the same project needs one of them, those of other branches the rest. */
const mostTemplates = 4

/**
 * Opens a scratch database in which a history is applied. The database after the last migration is kept on the server as
 * a template, under the digest of what made it: the same history is then a copy, and a longer one starts from it.
 * Where the role may not create databases, the URL's own database is emptied and replayed in.
 * Errors: L1404 none can be created, L1405 it is the main database, L1406 a migration fails there.
 */
export async function openReplayed(
  setting: ReplaySetting,
  steps: readonly Step[],
  use: Use = "copy",
): Promise<ReplayedDatabase> {
  const admin = await connect(setting.url, { applicationName: "lockstep scratch" })
  try {
    if (!(await mayCreate(admin))) return await replayInPlace(setting, steps)
    const whole = await keptTemplate(admin, { ...setting, holds: "observer" }, steps)
    if (use === "shared") return await openShared(setting, whole)
    return await observed(await openScratchCopy({ ...setting.url, schema: setting.schema }, whole))
  } finally {
    await admin.end()
  }
}

/** What it takes to replay a history. */
export type Replaying = Omit<ReplaySetting, "main">

type Kept = Replaying & { readonly holds: "history" | "observer" }

/** The name of the template that holds a history; where there is none, it is made from the longest that there is. */
export async function keptTemplate(admin: Client, setting: Kept, steps: readonly Step[]): Promise<string> {
  const names = namesOf(setting, steps)
  const existing = new Set(await templates(admin))
  const whole = names.at(-1) ?? prefix
  if (existing.has(whole)) return whole
  // The observer can be added to a database without it.
  const others = setting.holds === "observer" ? namesOf({ ...setting, holds: "history" }, steps) : names
  const found = names.map((name, at) => [name, others[at] ?? name].find((each) => existing.has(each)))
  const known = found.findLastIndex((each) => each !== undefined)
  await build(admin, setting, { from: found[known], steps: steps.slice(Math.max(known, 0)), name: whole })
  await evict(admin, whole)
  return whole
}

/** Whether its role may create databases. */
export async function mayCreate(admin: Client): Promise<boolean> {
  const { rows } = await admin.query<{ may: string }>(
    "SELECT rolcreatedb OR rolsuper AS may FROM pg_catalog.pg_roles WHERE rolname = current_user",
  )
  return rows[0]?.may === "t"
}

/** The name of each template along the history: after none of the migrations, after the first, and so on. */
function namesOf({ schema, initShadowDb = "", holds }: Kept, steps: readonly Step[]): readonly string[] {
  const digest = (...parts: readonly string[]) => createHash("sha256").update(JSON.stringify(parts)).digest("hex")
  const digests = [digest(holds === "observer" ? installObserver : "", schema, initShadowDb)]
  for (const { name, sql } of steps) digests.push(digest(digests.at(-1) ?? "", name, sql))
  return digests.map((each) => prefix + each.slice(0, 32))
}

async function templates(admin: Client): Promise<readonly string[]> {
  const { rows } = await admin.query<{ datname: string }>(
    "SELECT datname FROM pg_catalog.pg_database WHERE datname LIKE $1 ORDER BY oid",
    [`${prefix.replaceAll("_", "\\_")}%`],
  )
  return rows.map(({ datname }) => datname)
}

interface Build {
  readonly from: string | undefined
  readonly steps: readonly Step[]
  readonly name: string
}

/** The database gets its name when it is complete: what a killed process leaves is an ordinary scratch database. */
async function build(admin: Client, setting: Kept, { from, steps, name }: Build): Promise<void> {
  const database =
    from === undefined
      ? await replayedAnew(setting, steps)
      : await openScratchCopy({ ...setting.url, schema: setting.schema }, from)
  try {
    if (from !== undefined) await replay(database, steps)
    if (setting.holds === "observer") await database.client.query(installObserver)
    await rename(admin, await database.asTemplate(), name)
  } finally {
    await database.drop()
  }
}

/** Another process may have made the same one meanwhile. */
async function rename(admin: Client, from: string, to: string): Promise<void> {
  await admin
    .query(`ALTER DATABASE ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`)
    .catch((error: unknown) => {
      if (sqlstateOf(error) !== "42P04") throw error
    })
}

export async function replayedAnew(setting: Replaying, steps: readonly Step[]): Promise<ScratchDatabase> {
  const { url, schema, initShadowDb } = setting
  const database = await openScratchDatabase({ url: { ...url, schema } })
  try {
    if (initShadowDb) await runScript(database, initShadowDb)
    await replay(database, steps)
    return database
  } catch (error) {
    await database.drop()
    throw error
  }
}

/** One that is being copied cannot be dropped; a later plan does it. */
async function evict(admin: Client, kept: string): Promise<void> {
  const others = (await templates(admin)).filter((name) => name !== kept)
  for (const name of others.slice(0, Math.max(0, others.length - mostTemplates + 1)))
    await admin.query(`DROP DATABASE IF EXISTS ${quoteIdentifier(name)}`).catch(() => undefined)
}

async function replayInPlace(setting: ReplaySetting, steps: readonly Step[]): Promise<ReplayedDatabase> {
  const database = await openScratchDatabase({ url: setting.main, shadowUrl: setting.url })
  try {
    if (setting.initShadowDb) await runScript(database, setting.initShadowDb)
    await replay(database, steps)
    await database.client.query(installObserver)
    return await observed(database)
  } catch (error) {
    await database.drop()
    throw error
  }
}

async function openShared({ url, schema }: ReplaySetting, name: string): Promise<ReplayedDatabase> {
  const open = () => connect(withDatabase(url, name), { applicationName: "lockstep scratch" })
  const clients = [await open()]
  const drop = async (): Promise<void> => {
    await Promise.allSettled(clients.map((client) => client.end()))
  }
  try {
    const [client, watcher] = [clients[0] ?? (await open()), await open()]
    clients.push(watcher)
    await client.query(searchPath(schema))
    return { client, schema, watcher, open, isShared: true, drop }
  } catch (error) {
    await drop()
    throw error
  }
}

async function observed(database: ScratchDatabase): Promise<ReplayedDatabase> {
  const watcher = await database.open()
  const drop = async (): Promise<void> => {
    await watcher.end().catch(() => undefined)
    await database.drop()
  }
  const { client, schema, open } = database
  return { client, schema, watcher, open, isShared: false, drop }
}
