import { createHash } from "node:crypto"
import { readlinkSync } from "node:fs"
import { lstat, mkdir, realpath, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import type { Account } from "./run.js"

/** Where one project's server keeps its things. Nothing here is read from a file: it follows from the project's path. */
export interface Place {
  readonly projectRoot: string
  /** The project's state folder; it ignores itself for git. */
  readonly folder: string
  readonly stateFile: string
  /** It outlives `down`, so that an exported URL does. */
  readonly passwordFile: string
  readonly lockFile: string
  /** Folders that may hold the cluster: the project's own, then those for when the server cannot use that one. */
  readonly clusters: readonly string[]
}

/** Names the place of a project, whose path has to be absolute and free of symbolic links. */
export function placeOf(projectRoot: string): Place {
  const folder = join(projectRoot, ".lockstep")
  const suffix = namespaceSuffix()
  const shared = `cluster-${digest(projectRoot)}${suffix}`
  return {
    projectRoot,
    folder,
    stateFile: join(folder, `test-db${suffix}.json`),
    passwordFile: join(folder, `test-db${suffix}.password`),
    lockFile: join(folder, `test-db${suffix}.lock`),
    clusters: [join(folder, `postgres${suffix}`), ...sharedFolders().map((parent) => join(parent, shared))],
  }
}

/** Every data folder that a server of this project may have been given: by this user, or by root. */
export function dataFolders(place: Place): readonly string[] {
  const shared = `cluster-${digest(place.projectRoot)}${namespaceSuffix()}`
  return [...place.clusters, ...sharedFolders(0).map((parent) => join(parent, shared))].map(dataFolder)
}

/** PostgreSQL's data directory inside a cluster's folder; beside it are the log and the settings. */
export const dataFolder = (cluster: string): string => join(cluster, "data")

/**
 * The port to try first: the same for a project every time, so that an exported URL survives down and up, and below
 * the ranges from which Linux and macOS take ports for outgoing connections.
 */
export function preferredPort(projectRoot: string): number {
  return 20_000 + (Number.parseInt(digest(projectRoot), 16) % 10_000)
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12)

/** The process namespace that every Linux kernel starts with (PROC_PID_INIT_INO). */
const initialNamespace = "4026531836"

/**
 * A project's folder may be mounted into a container while the host's server runs on it. Processes of the one are
 * invisible to the other, and two servers on one data directory destroy it; so each namespace has its own.
 */
function namespaceSuffix(): string {
  try {
    const number = /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0]
    return number === undefined || number === initialNamespace ? "" : `-${number}`
  } catch {
    return ""
  }
}

/** Whether an account may pass through every folder on the way to this path. For oneself it is taken for granted. */
export async function reachable(path: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true
  let folder = await realpath(path).catch(() => undefined)
  if (folder === undefined) return false
  for (;;) {
    const { mode, uid, gid } = await stat(folder)
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001
    if ((mode & bit) === 0) return false
    if (dirname(folder) === folder) return true
    folder = dirname(folder)
  }
}

/**
 * Folders outside of every project, private to a user, for what the server cannot reach in the project: in
 * LOCKSTEP_CACHE_DIR, where set; otherwise where temporary files survive a restart, then where they may not.
 */
export function sharedFolders(uid = process.geteuid?.() ?? 0): readonly string[] {
  const chosen = process.env.LOCKSTEP_CACHE_DIR
  const parents = chosen ? [chosen] : [...new Set(["/var/tmp", "/tmp", tmpdir()])]
  return parents.map((parent) => resolve(parent, `lockstep-${uid}`))
}

/** A folder's permissions: its owner's alone; run by root, the server's account has to pass through, not to look. */
export const privateMode = (): number => (process.geteuid?.() === 0 ? 0o711 : 0o700)

/**
 * Makes a shared folder where needed and says whether it is fit for use. Its parent is writable by everybody, so
 * another user may have been there first: it has to be a folder of ours that nobody else may write to, in a parent
 * where others may not rename it (sticky).
 */
export async function trusted(folder: string, account: Account | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { mode: privateMode() }).catch(() => {})
    const own = await lstat(folder)
    const parent = await stat(dirname(folder))
    const isOurs = own.isDirectory() && own.uid === process.geteuid?.() && (own.mode & 0o022) === 0
    const isKept = (parent.mode & 0o022) === 0 || (parent.mode & 0o1000) !== 0
    return isOurs && isKept && (await reachable(folder, account))
  } catch {
    return false
  }
}
