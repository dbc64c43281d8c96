import { createHash, randomBytes } from "node:crypto"
import { readlinkSync } from "node:fs"
import { chmod, lstat, mkdir, open, readFile, realpath, rename, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import * as z from "zod/mini"
import type { Account } from "./run.js"

/** Where a project's test database keeps its files. The project's path alone decides it; no file is read for it. */
export interface Paths {
  readonly projectRoot: string
  /** The project's .lockstep folder, which git ignores. */
  readonly stateFolder: string
  readonly stateFile: string
  /** `down` keeps it, so that an exported URL stays valid. */
  readonly passwordFile: string
  readonly lockFile: string
  /** Folders for the cluster: the project's own first, then shared ones, for when the server cannot use that. */
  readonly clusters: readonly string[]
}

/** The paths of a project, whose own path has to be absolute and without symbolic links. */
export function pathsOf(projectRoot: string): Paths {
  const stateFolder = join(projectRoot, ".lockstep")
  const suffix = namespaceSuffix()
  return {
    projectRoot,
    stateFolder,
    stateFile: join(stateFolder, `test-db${suffix}.json`),
    passwordFile: join(stateFolder, `test-db${suffix}.password`),
    lockFile: join(stateFolder, `test-db${suffix}.lock`),
    clusters: [join(stateFolder, `postgres${suffix}`), ...sharedClusters(projectRoot, sharedFolders())],
  }
}

/** Every data directory that this project's server may have, whether this user or root started it. */
export function dataDirectories({ projectRoot, clusters }: Paths): readonly string[] {
  return [...clusters, ...sharedClusters(projectRoot, sharedFolders(0))].map(dataDirectory)
}

const sharedClusters = (projectRoot: string, folders: readonly string[]): readonly string[] =>
  folders.map((folder) => join(folder, `cluster-${digest(projectRoot)}${namespaceSuffix()}`))

/** PostgreSQL's data directory in a cluster's folder, which also holds the settings and the log. */
export const dataDirectory = (cluster: string): string => join(cluster, "data")

/**
 * The port to try first. A project always has the same, so that an exported URL is valid after `down` and `up`. It is
 * below the ports that Linux and macOS use for outgoing connections.
 */
export function preferredPort(projectRoot: string): number {
  return 20_000 + (Number.parseInt(digest(projectRoot), 16) % 10_000)
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12)

/** The process namespace of the host (Linux: PROC_PID_INIT_INO). */
const hostNamespace = "4026531836"

/**
 * A project's folder may be mounted into a container while the host's server uses it. The container cannot see the
 * host's processes, and two servers on one data directory destroy it: so each process namespace has its own files.
 */
function namespaceSuffix(): string {
  try {
    const number = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0]
    return number === undefined || number === hostNamespace ? "" : `-${number}`
  } catch {
    return ""
  }
}

/**
 * Folders outside of the project, each private to a user, for files that the server cannot use in the project: below
 * LOCKSTEP_CACHE_DIR where it is set, otherwise below the system's folders for temporary files.
 */
export function sharedFolders(uid = process.geteuid?.() ?? 0): readonly string[] {
  const chosen = process.env.LOCKSTEP_CACHE_DIR
  // /var/tmp first: it survives a restart.
  const parents = chosen ? [chosen] : [...new Set(["/var/tmp", "/tmp", tmpdir()])]
  return parents.map((parent) => resolve(parent, `lockstep-${uid}`))
}

/** The mode of a private folder. Where root made it, the server's account must be able to pass through it. */
export const privateMode = (): number => (process.geteuid?.() === 0 ? 0o711 : 0o700)

/**
 * Makes a shared folder where it does not exist; whether it is safe to use. Its parent is writable by every user, so
 * another one may have made it first: it must be a folder of this user that nobody else may write to, in a parent where
 * nobody else may rename it (sticky bit).
 */
export async function isSafeFolder(folder: string, account: Account | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { mode: privateMode() }).catch(() => {})
    const self = await lstat(folder)
    const parent = await stat(dirname(folder))
    const isPrivate = self.isDirectory() && self.uid === process.geteuid?.() && (self.mode & 0o022) === 0
    const cannotBeRenamed = (parent.mode & 0o022) === 0 || (parent.mode & 0o1000) !== 0
    return isPrivate && cannotBeRenamed && (await isReachable(folder, account))
  } catch {
    return false
  }
}

/** Whether an account may pass through every folder of a path; not checked for the current user. */
export async function isReachable(path: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true
  let folder = await realpath(path).catch(() => undefined)
  if (folder === undefined) return false
  for (;;) {
    const { mode, uid, gid } = await stat(folder)
    const execute = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & execute) === 0) return false
    if (dirname(folder) === folder) return true
    folder = dirname(folder)
  }
}

const stateSchema = z.object({
  schema: z.literal("lockstep.test-db-state/2"),
  password: z.string(),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  pid: z.int().check(z.minimum(2)),
  dataDir: z.string(),
  version: z.string(),
})

/** The content of `.lockstep/test-db.json`: the server that `up` started last. */
type ServerState = Readonly<Omit<z.infer<typeof stateSchema>, "schema">>

/** The server that `up` started last; undefined where the file is missing or damaged. */
export async function readState(paths: Paths): Promise<ServerState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(paths.stateFile, "utf8")))
  } catch {
    return undefined
  }
}

/** Records a server in one step: another process never reads half of it. */
export async function writeState(paths: Paths, state: ServerState): Promise<void> {
  await writeSecret(paths, paths.stateFile, JSON.stringify({ schema: "lockstep.test-db-state/2", ...state }, null, 2))
}

/** Forgets the recorded server. */
export async function removeState(paths: Paths): Promise<void> {
  await rm(paths.stateFile, { force: true })
}

/** The superuser's password; undefined where none was made yet, or its file was removed. */
export async function readPassword(paths: Paths): Promise<string | undefined> {
  const text = await readFile(paths.passwordFile, "utf8").catch(() => "")
  return /^[\w-]{24,}$/.exec(text.trim())?.[0]
}

/** Keeps the superuser's password for the next start. */
export async function writePassword(paths: Paths, password: string): Promise<void> {
  await writeSecret(paths, paths.passwordFile, password)
}

/** Only the owner of the project may read it, who may also use the server that root started. */
async function writeSecret(paths: Paths, path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`
  const file = await open(draft, "wx", 0o600)
  try {
    await file.writeFile(`${text}\n`)
    const { uid, gid } = await stat(paths.projectRoot)
    if (process.geteuid?.() === 0) await file.chown(uid, gid).catch(() => {})
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

/** Makes the project's state folder, which git ignores whatever the project's .gitignore contains. */
export async function ensureStateFolder({ stateFolder }: Paths): Promise<void> {
  try {
    await mkdir(stateFolder, { mode: privateMode() })
    await writeFile(join(stateFolder, ".gitignore"), "*\n")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    const { mode } = await stat(stateFolder)
    // Earlier versions made it readable for everybody. Another user's folder cannot be changed.
    if ((mode & 0o777 & ~privateMode()) !== 0) await chmod(stateFolder, mode & privateMode()).catch(() => {})
  }
}
