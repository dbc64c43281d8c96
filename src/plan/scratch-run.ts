import { DatabaseError } from "pg"
import { asOneStatement } from "../deploy/apply/prepare.js"
import { withStatementOutside } from "../deploy/apply/refused.js"
import { LockstepError } from "../errors.js"
import type { FolderMigration } from "../history/folder.js"
import { type CatalogObject, catalogLine, compareCatalogs, readCatalog } from "../postgres/catalog.js"
import type { Client } from "../postgres/connect.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type ObservedRun, observeScript } from "../scratch/observe.js"
import { observerSchema } from "../scratch/observer.js"
import { type Drift, stepsOf } from "../scratch/replay.js"
import { createRoles, type FoundServer, findScratchServer, roleNames } from "../scratch/server.js"
import { type Snapshot, takeSnapshot } from "../scratch/snapshot.js"
import { openReplayed, type ReplayedDatabase, type Use } from "../scratch/template.js"
import type { PendingMigration } from "./pending.js"
import type { Plan } from "./planned.js"

/** Where the pending migrations are observed. */
export interface ScratchChoice {
  readonly shadowUrl?: DatabaseUrl | undefined
  readonly initShadowDb?: string | undefined
  /** The project's folder. */
  readonly root: string
}

/** What the pending migrations did on a scratch database in the state of the applied ones. */
export interface ScratchRun {
  readonly version: string
  readonly on: string
  /** Before the first of them. */
  readonly initial: Snapshot
  /** One a migration; fewer where one was refused. */
  readonly runs: readonly ObservedRun[]
  /** Undefined where another session holds a lock that reading the target's catalog would wait for. */
  readonly drift: Drift | undefined
  /** Undefined where nobody asked for the catalogs. */
  readonly schema: Plan["schema"]
}

/** Why there is none, and what to do for one. */
export interface NoScratchRun {
  readonly why: string
  readonly next: string | undefined
}

/** What is applied to the target, the target itself, and what is pending. */
export interface ScratchWork {
  readonly target: Client
  readonly url: DatabaseUrl
  readonly applied: readonly FolderMigration[]
  readonly pending: readonly PendingMigration[]
  readonly keeps?: "catalogs" | undefined
}

/** Runs the pending migrations on a scratch database, as a deploy would. Resolves to why not where that is not possible. */
export async function runOnScratch(choice: ScratchChoice, work: ScratchWork): Promise<ScratchRun | NoScratchRun> {
  let server: FoundServer
  try {
    server = await findScratchServer(choice)
  } catch (error) {
    return unavailable(error)
  }
  try {
    if (server.isOwn) await createRoles(server, await roleNames(work.target))
    const setting = { url: server.url, schema: work.url.schema, initShadowDb: choice.initShadowDb, main: work.url }
    const replayed = async (use: Use): Promise<ScratchRun> => {
      const scratch = await openReplayed(setting, stepsOf(work.applied), use)
      return await run(scratch, server, work).finally(() => scratch.drop())
    }
    if (!canBeRolledBack(work)) return await replayed("copy")
    const found = await replayed("shared")
    return found.runs.some(({ refused }) => refused?.code === mayNotCommitHere) ? await replayed("copy") : found
  } catch (error) {
    return unavailable(error)
  } finally {
    await server.close()
  }
}

/** SQLSTATE invalid_transaction_termination: a procedure commits, and has to run outside of a transaction. */
const mayNotCommitHere = "2D000"

/** One migration in one transaction, of which nothing has to stay for another. */
const canBeRolledBack = ({ pending, keeps }: ScratchWork): boolean =>
  keeps === undefined &&
  pending.length === 1 &&
  pending.every(({ prepared }) => prepared.class === "transactional" && !prepared.unparsed)

/** Only what the server or the history refuses; a bug is not an estimate. */
function unavailable(error: unknown): NoScratchRun {
  if (error instanceof LockstepError) {
    const { hint, next } = error.details
    return { why: [error.message, ...(hint ? [hint.split("\n")[0]] : [])].join(": "), next }
  }
  throw error
}

async function run(scratch: ReplayedDatabase, server: FoundServer, work: ScratchWork): Promise<ScratchRun> {
  const { pending, url, keeps } = work
  const { rows } = await scratch.client.query<{ version: string; pid: string }>(
    "SELECT current_setting('server_version') AS version, pg_backend_pid() AS pid",
  )
  const [first] = rows
  const initial = await takeSnapshot(scratch.client, { pid: Number(first?.pid), statistics: "transaction" })
  const [before, actual] = await Promise.all([readOwnCatalog(scratch.client, url.schema), targetCatalog(work)])
  const drift = actual && driftBetween(before, actual)
  const runs: ObservedRun[] = []
  for (const migration of pending) {
    const observed = await observe(scratch, migration)
    runs.push(observed)
    if (observed.refused !== undefined) break
  }
  const [version = ""] = (first?.version ?? "").split(" ")
  const schema = keeps && { before, after: await readOwnCatalog(scratch.client, url.schema) }
  return { version, on: server.what, initial, runs, drift, schema }
}

/** PostgreSQL locks a view's tables to print it: undefined where another session's lock is in the way. */
async function targetCatalog({ target, url }: ScratchWork): Promise<readonly CatalogObject[] | undefined> {
  try {
    return await readCatalog(target, url.schema)
  } catch (error) {
    if (sqlstateOf(error) === "55P03") return undefined
    throw error
  }
}

function driftBetween(expected: readonly CatalogObject[], actual: readonly CatalogObject[]): Drift {
  const { onlyFirst, onlySecond } = compareCatalogs(expected, actual)
  return { missing: onlyFirst.map(catalogLine).sort(), unexpected: onlySecond.map(catalogLine).sort() }
}

/** The objects of a scratch database, without the triggers that report writes there. */
export async function readOwnCatalog(client: Client, schema: string): Promise<readonly CatalogObject[]> {
  const all = await readCatalog(client, schema)
  return all.filter(({ kind, name }) => kind !== "trigger" || !name.endsWith(`.${observerSchema}`))
}

async function observe(scratch: ReplayedDatabase, { prepared, statements }: PendingMigration): Promise<ObservedRun> {
  if (prepared.unparsed) return await runWhole(scratch, prepared.sql)
  const ends = scratch.isShared ? "rollback" : "commit"
  const observed = await observeScript(scratch, { class: prepared.class, statements, ends })
  if (observed.refused === undefined || scratch.isShared) return observed
  // A procedure that commits shows itself when PostgreSQL refuses it in a transaction; a deploy then runs it outside of one.
  const refusal = { error: observed.refused, sentBefore: 0, startsAt: 0, statement: observed.observations.length }
  const outside = await withStatementOutside({ ...prepared, statements }, refusal, { onEvent: () => undefined })
  if (outside === undefined) return observed
  return await observeScript(scratch, { class: outside.class, statements: outside.statements })
}

/** A file that only the server can parse. */
async function runWhole({ client }: ReplayedDatabase, sql: string): Promise<ObservedRun> {
  try {
    await client.query("BEGIN")
    await client.query(asOneStatement(sql, `plan${Date.now()}`).join(""))
    await client.query("COMMIT")
    return { observations: [], refused: undefined }
  } catch (error) {
    await client.query("ROLLBACK")
    if (error instanceof DatabaseError) return { observations: [], refused: error }
    throw error
  }
}
