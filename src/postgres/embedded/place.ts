import { createHash } from "node:crypto"
import { readlinkSync } from "node:fs"
import { join } from "node:path"
import { sharedFolders } from "./reach.js"

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
