import { randomBytes } from "node:crypto"
import { access, chmod, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { dataFolder, dataFolders, type Place, placeOf, preferredPort, privateMode } from "./folder.js"
import { isServer, readPidFile } from "./postmaster.js"

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
  const { stop, removeCluster } = await import("./cluster.js")
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

const stateSchema = z.object({
  schema: z.literal("lockstep.test-db-state/2"),
  password: z.string(),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  pid: z.int().check(z.minimum(2)),
  dataDir: z.string(),
  version: z.string(),
})

/** The content of `.lockstep/test-db.json`: the server that `up` started last. */
export type State = Readonly<z.infer<typeof stateSchema>>

/** The recorded server. A file that is missing or damaged says nothing: `up` finds out again what is true. */
async function readState(place: Place): Promise<State | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(place.stateFile, "utf8")))
  } catch {
    return undefined
  }
}

/** Records a server, whole or not at all. */
async function writeState(place: Place, state: Omit<State, "schema">): Promise<void> {
  await writeSecret(place, place.stateFile, JSON.stringify({ schema: "lockstep.test-db-state/2", ...state }, null, 2))
}

/** The superuser's password; undefined where there is none yet, or it was removed. */
export async function readPassword(place: Place): Promise<string | undefined> {
  const text = await readFile(place.passwordFile, "utf8").catch(() => "")
  return /^[\w-]{24,}$/.exec(text.trim())?.[0]
}

/** Keeps the superuser's password for the next start. */
export async function writePassword(place: Place, password: string): Promise<void> {
  await writeSecret(place, place.passwordFile, password)
}

/** For the project's owner alone, who may use the server that root started. */
async function writeSecret(place: Place, path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`
  const file = await open(draft, "wx", 0o600)
  try {
    await file.writeFile(`${text}\n`)
    const { uid, gid } = await stat(place.projectRoot)
    if (process.geteuid?.() === 0) await file.chown(uid, gid).catch(() => {})
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

async function removeState(place: Place): Promise<void> {
  await rm(place.stateFile, { force: true })
}

/** Makes the project's state folder, which git ignores whatever the project's own .gitignore says. */
export async function ensureFolder(place: Place): Promise<void> {
  try {
    await mkdir(place.folder, { mode: privateMode() })
    await writeFile(join(place.folder, ".gitignore"), "*\n")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    const { mode } = await stat(place.folder)
    // An earlier version made it for everybody to look into. Another user's is left as it is.
    if ((mode & 0o777 & ~privateMode()) !== 0) await chmod(place.folder, mode & privateMode()).catch(() => {})
  }
}
