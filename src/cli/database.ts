import { closeDatabase, inspect, openDatabase } from "../deploy/connect/database.js"
import { takeLock } from "../deploy/connect/lock.js"
import { type ConnectRequest, type DeploySettings, defaultSettings } from "../deploy/context.js"
import { ConnectionLost, lostOr } from "../deploy/failure.js"
import { LockstepError } from "../errors.js"
import { type Folder, readFolder } from "../history/folder.js"
import { type Client, connect } from "../postgres/connect.js"
import { parseDatabaseUrl } from "../postgres/url.js"
import { inLine } from "../printable.js"
import { findTarget, shadowUrlOf, type Target } from "../project/database-url.js"
import { refuseNewerPrisma } from "../project/manifest.js"
import type { Project } from "../project/project.js"
import type { TakeLock } from "../schema-engine/adapter.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { loadEngine } from "../schema-engine/wasm.js"
import { searchPath } from "../scratch/script.js"
import type { Output } from "./output.js"

/** What the commands work with that need Prisma's schema engine. */
interface Workplace {
  readonly project: Project
  readonly target: Target
  readonly folder: Folder
  readonly setting: EngineSetting
}

/** Finds the database and reads the folder; says which database it is. Errors: L1304 another Prisma, L11xx, L12xx. */
export async function openWorkplace(project: Project, output: Output): Promise<Workplace> {
  refuseNewerPrisma(project.root)
  // It is compiled while the server works; who needs it gets its error.
  loadEngine().catch(() => undefined)
  const target = await findTarget(project)
  announce(target, output)
  const shadow = shadowUrlOf(project)
  const setting: EngineSetting = {
    url: target.url,
    shadowUrl: shadow ? parseDatabaseUrl(shadow) : undefined,
    initShadowDb: project.initShadowDb,
    external: project.external,
    isTestServer: target.isTestDatabase,
  }
  return { project, target, folder: readFolder(project.migrationsDir), setting }
}

/**
 * A deploy creates the database that a URL names; a command that only changes a history must not, or a misspelled name would pass.
 * Errors: L1215 it does not exist, L12xx.
 */
export async function requireDatabase({ url }: Pick<Target, "url">): Promise<void> {
  await (await connect(url)).end()
}

/** What it takes to wait for the migration lock of a database. */
export interface Waiting {
  readonly target: Pick<Target, "url">
  readonly signal: AbortSignal
  /** Receives why it waits. */
  readonly onEvent: ConnectRequest["onEvent"]
  readonly settings?: DeploySettings
}

/** Does a piece of work under the migration lock. Errors: L1016, L1020 to L1022, L12xx. */
export async function withLockedDatabase<T>(waiting: Waiting, work: (client: Client) => Promise<T>): Promise<T> {
  const request = connecting(waiting)
  const client = await openDatabase(request)
  try {
    await takeLock(client, request)
    return await work(client)
  } catch (error) {
    throw lostAs(client, error)
  } finally {
    await closeDatabase(client)
  }
}

/**
 * Takes the migration lock on a connection of Prisma's schema engine, where a deploy could hold it, too.
 * Errors: L1016, L1020 to L1022.
 */
export function lockFor(waiting: Waiting): TakeLock {
  const request = connecting(waiting)
  return async (client) => {
    try {
      await inspect(client, request)
      await takeLock(client, request)
      // Behind a pooler the session was reset.
      await client.query(searchPath(request.url.schema))
    } catch (error) {
      throw lostAs(client, error)
    }
  }
}

const connecting = ({ target, signal, onEvent, settings = defaultSettings }: Waiting): ConnectRequest => ({
  url: target.url,
  settings,
  applicationName: "lockstep",
  signal,
  onEvent,
})

function lostAs(client: Client, error: unknown): unknown {
  const reason = lostOr(client, error)
  return reason instanceof ConnectionLost ? lost(reason) : reason
}

const lost = (error: ConnectionLost): LockstepError =>
  new LockstepError("L1016", `the connection was lost: ${error.message}`, {
    state: "it is not known whether the last statement was executed: the history decides.",
    next: "`lockstep status` shows what is recorded; then run the same command again where it is needed",
    cause: error,
  })

/** Says which database a command works on and where its URL was found; names parameters that are not supported. */
export function announce({ url, source }: Target, output: Output): void {
  output.say(`${url.display} (${inLine(url.schema)}), from ${source}`)
  if (url.unknown.length > 0)
    output.say(`  note  these parameters of the URL are not supported and have no effect: ${url.unknown.join(", ")}`)
}
