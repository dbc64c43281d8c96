import { access, realpath } from "node:fs/promises"
import { join } from "node:path"
import { LockstepError } from "../../errors.js"
import { dataFolder, dataFolders, type Place, placeOf, preferredPort } from "./place.js"
import { isServer, readPidFile } from "./postmaster.js"
import { ensureFolder, readState, removeState, writeState } from "./state.js"

/** A running test database. */
export interface EmbeddedServer {
  /** With the database `lockstep` and the superuser's password, a random one: a secret. */
  readonly url: string
  readonly port: number
  /** Process number of the server. */
  readonly pid: number
  /** PostgreSQL's, as in 18.4. */
  readonly version: string
  readonly dataDir: string
  /** Milliseconds that it took to start; absent where it was running already. */
  readonly startedMs?: number
  readonly reused: boolean
}

export interface UpOptions {
  /** PostgreSQL settings; they count when the server is started, not where one is running already. */
  readonly settings?: Readonly<Record<string, string | number>>
}

/**
 * The project's test database: the one that is running, or a new one, with the data that a crash or a restart of the
 * machine left. It outlives the caller. Errors: L1501 to L1508.
 */
export async function up(projectRoot: string, options: UpOptions = {}): Promise<EmbeddedServer> {
  const place = placeOf(await realpath(projectRoot))
  return (await find(place)) ?? (await locked(place, async () => (await find(place)) ?? (await begin(place, options))))
}

/** Stops the project's test database and removes its data; the password is kept for the next. Errors: L1506, L1507, L1509. */
export async function down(projectRoot: string): Promise<"stopped" | "not running"> {
  const place = placeOf(await realpath(projectRoot))
  const { stop, removeCluster } = await import("./stop.js")
  const outcome = await locked(place, async () => {
    const outcomes = []
    for (const data of dataFolders(place)) outcomes.push(await stop(data))
    for (const cluster of place.clusters) await removeCluster(cluster)
    await removeState(place)
    return outcomes.includes("stopped") ? "stopped" : "not running"
  })
  return outcome
}

/** The project's test database where it is running. Reads two small files: it may be called on every start. */
export async function running(projectRoot: string): Promise<EmbeddedServer | undefined> {
  const root = await realpath(projectRoot).catch(() => undefined)
  return root === undefined ? undefined : await find(placeOf(root))
}

/** A state file is believed only as far as a server of this very project is seen to run where it says. */
async function find(place: Place): Promise<EmbeddedServer | undefined> {
  const state = await readState(place)
  if (state === undefined || !dataFolders(place).includes(state.dataDir)) return undefined
  if (!(await isServer(state.pid, state.dataDir))) return undefined
  const file = await readPidFile(state.dataDir)
  if (file === undefined && !(await isClosedToUs(state.dataDir))) return undefined
  if (file !== undefined && (file.pid !== state.pid || file.port !== state.port || file.status !== "ready"))
    return undefined
  const { port, pid, version, dataDir, password } = state
  return { url: urlOf(port, password), port, pid, version, dataDir, reused: true }
}

/** A data directory is its account's alone; a user may well use the server that root started. */
async function isClosedToUs(dataDir: string): Promise<boolean> {
  const error: unknown = await access(join(dataDir, "postmaster.pid")).catch((reason) => reason)
  return error instanceof Error && "code" in error && error.code === "EACCES"
}

async function begin(place: Place, options: UpOptions): Promise<EmbeddedServer> {
  const began = performance.now()
  const { findBinaries } = await import("./binaries.js")
  const { ensureCluster, writeSettings } = await import("./cluster.js")
  const { start } = await import("./start.js")
  const binaries = await findBinaries()
  const { folder: cluster, password } = await ensureCluster(place, binaries)
  const settingsFile = await writeSettings(cluster, options.settings ?? {})
  const previous = await readState(place)
  const ports = [...(previous === undefined ? [] : [previous.port]), preferredPort(place.projectRoot)]
  const { port, pid } = await start({ binaries, cluster, settingsFile, ports })
  const server = { port, pid, version: binaries.version, dataDir: dataFolder(cluster) }
  await writeState(place, { ...server, password })
  return { url: urlOf(port, password), ...server, startedMs: Math.round(performance.now() - began), reused: false }
}

async function locked<T>(place: Place, work: () => Promise<T>): Promise<T> {
  const { withLock } = await import("./lock.js")
  try {
    await ensureFolder(place)
    return await withLock(place.lockFile, work)
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "EACCES" || error.code === "EROFS")) {
      throw new LockstepError("L1507", `the project's state folder ${place.folder} cannot be written to`, {
        hint: error.message,
        next: "correct its owner, or remove it as the user whose it is",
        cause: error,
      })
    }
    throw error
  }
}

const urlOf = (port: number, password: string): string => `postgresql://postgres:${password}@127.0.0.1:${port}/lockstep`
