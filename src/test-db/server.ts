import { access, realpath } from "node:fs/promises"
import { join } from "node:path"
import { LockstepError } from "../errors.js"
import type { Major } from "./majors.js"
import {
  dataDirectories,
  dataDirectory,
  ensureStateFolder,
  type Paths,
  pathsOf,
  preferredPort,
  readState,
  removeState,
  writeState,
} from "./paths.js"
import { isServer, readPidFile, stop } from "./postmaster.js"

/** A running test database. */
export interface EmbeddedServer {
  /** With the database `lockstep` and the superuser's random password: a secret. */
  readonly url: string
  readonly port: number
  /** The server's process id. */
  readonly pid: number
  /** PostgreSQL's version, as in 18.4. */
  readonly version: string
  readonly dataDir: string
  /** Milliseconds that the start took; absent where it was running already. */
  readonly startedMs?: number
  readonly reused: boolean
}

/** How `up` starts a server. */
export interface UpOptions {
  /** PostgreSQL settings for a server that is started; one that is running already keeps its own. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** The major version of PostgreSQL; without it the running one's, or the one that comes with Lockstep. */
  readonly postgres?: Major | undefined
}

/**
 * The project's test database: the running one, or else one that is started, with the data that it had before a crash
 * or a restart of the machine. It keeps running when the caller ends. Errors: L1501 to L1508, L1511.
 */
export async function up(projectRoot: string, options: UpOptions = {}): Promise<EmbeddedServer> {
  const paths = pathsOf(await realpath(projectRoot))
  const wanted = async () => checkMajor(await find(paths), options)
  return (await wanted()) ?? (await locked(paths, async () => (await wanted()) ?? (await start(paths, options))))
}

/** Errors: L1508 the running server is of another major version. */
function checkMajor(server: EmbeddedServer | undefined, { postgres }: UpOptions): EmbeddedServer | undefined {
  if (server === undefined || postgres === undefined || server.version.split(".")[0] === postgres) return server
  throw new LockstepError("L1508", `the test database runs on PostgreSQL ${server.version}, not ${postgres}`, {
    state: "nothing was touched.",
    next: "remove it and its data with `lockstep test-db down`, then start a new one",
  })
}

/** Stops the project's test database and removes its data; the next one gets the same password. Errors: L1506, L1507, L1509. */
export async function down(projectRoot: string): Promise<"stopped" | "not running"> {
  const paths = pathsOf(await realpath(projectRoot))
  const { removeCluster } = await import("./cluster.js")
  return await locked(paths, async () => {
    const outcomes = []
    for (const data of dataDirectories(paths)) outcomes.push(await stop(data))
    for (const cluster of paths.clusters) await removeCluster(cluster)
    await removeState(paths)
    return outcomes.includes("stopped") ? "stopped" : "not running"
  })
}

/** The project's test database where it is running. It reads two small files, so that every command can call it. */
export async function running(projectRoot: string): Promise<EmbeddedServer | undefined> {
  const root = await realpath(projectRoot).catch(() => undefined)
  return root === undefined ? undefined : await find(pathsOf(root))
}

/** The recorded server, if a process of this project's data directory is running as the state file says. */
async function find(paths: Paths): Promise<EmbeddedServer | undefined> {
  const state = await readState(paths)
  if (state === undefined || !dataDirectories(paths).includes(state.dataDir)) return undefined
  if (!(await isServer(state.pid, state.dataDir))) return undefined
  const file = await readPidFile(state.dataDir)
  if (file === undefined && !(await isUnreadable(state.dataDir))) return undefined
  if (file !== undefined && (file.pid !== state.pid || file.port !== state.port || file.status !== "ready"))
    return undefined
  const { port, pid, version, dataDir, password } = state
  return { url: urlOf(port, password), port, pid, version, dataDir, reused: true }
}

/** Only the server's account may read its data directory; the project's owner may still use a server that root started. */
async function isUnreadable(dataDir: string): Promise<boolean> {
  const error: unknown = await access(join(dataDir, "postmaster.pid")).catch((reason) => reason)
  return error instanceof Error && "code" in error && error.code === "EACCES"
}

async function start(paths: Paths, { settings = {}, postgres }: UpOptions): Promise<EmbeddedServer> {
  const began = performance.now()
  const { findBinaries } = await import("./binaries.js")
  const { ensureCluster, writeSettings } = await import("./cluster.js")
  const { startServer } = await import("./start.js")
  const { ownMajor, packageOf } = await import("./majors.js")
  const binaries = await findBinaries(await packageOf(postgres ?? ownMajor, paths.projectRoot))
  const { folder: cluster, password } = await ensureCluster(paths, binaries)
  const settingsFile = await writeSettings(cluster, settings)
  const previous = await readState(paths)
  const ports = [...(previous === undefined ? [] : [previous.port]), preferredPort(paths.projectRoot)]
  const { port, pid } = await startServer({ binaries, cluster, settingsFile, ports })
  const server = { port, pid, version: binaries.version, dataDir: dataDirectory(cluster) }
  await writeState(paths, { ...server, password })
  return { url: urlOf(port, password), ...server, startedMs: Math.round(performance.now() - began), reused: false }
}

async function locked<T>(paths: Paths, work: () => Promise<T>): Promise<T> {
  const { withLock } = await import("./lock.js")
  try {
    await ensureStateFolder(paths)
    return await withLock(paths.lockFile, work)
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EROFS")) {
      throw new LockstepError("L1507", `the project's state folder ${paths.stateFolder} is not writable`, {
        hint: error.message,
        next: "correct its owner, or remove it as the user who owns it",
        cause: error,
      })
    }
    throw error
  }
}

const urlOf = (port: number, password: string): string => `postgresql://postgres:${password}@127.0.0.1:${port}/lockstep`
