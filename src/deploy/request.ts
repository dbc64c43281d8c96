import type { Folder } from "../history/folder.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import type { DeployEvent } from "./events.js"

/** How a deploy behaves. Times are milliseconds. */
export interface DeploySettings {
  /** How long to wait for a database that is not up yet. */
  readonly connectTimeout: number
  /** How long to wait for the migration lock; 0: not at all. */
  readonly lockWait: number
  /** PostgreSQL's lock_timeout for each statement; 0: none. */
  readonly lockTimeout: number
  /** How often to try again after a lock timeout, a deadlock, a serialization failure or a lost connection. */
  readonly retries: number
  /** Refuse what stock Prisma tolerates: edited, missing and out-of-order migrations. */
  readonly strict: boolean
  /** Go on with a failed non-transactional migration from the statement that it reached. */
  readonly resume: boolean
  /** An empty folder is right, also where the database has a history. */
  readonly allowEmpty: boolean
}

export const defaultSettings: DeploySettings = Object.freeze({
  connectTimeout: 30_000,
  lockWait: 300_000,
  lockTimeout: 250,
  retries: 10,
  strict: false,
  resume: false,
  allowEmpty: false,
})

/** Everything that it takes to reach the database and its migration lock. */
export interface Connecting {
  readonly url: DatabaseUrl
  readonly settings: DeploySettings
  /** Shown as application_name, so that a waiting deployer can say who holds the lock. */
  readonly applicationName: string
  readonly signal: AbortSignal
  readonly onEvent: (event: DeployEvent) => void
}

/** Everything that a deploy needs. */
export interface DeployRequest extends Connecting {
  readonly folder: Folder
  /** Somebody watches: tell what the server does while a statement runs long. */
  readonly watched?: true | undefined
  /** Proves the schema too, by replaying the history on a shadow database. */
  readonly proveSchema?: ProveSchema | undefined
}

/** How a database differs from what these migrations make, in this order; one line an object. */
export type ProveSchema = (
  client: Client,
  applied: readonly { readonly name: string; readonly sql: string }[],
) => Promise<{ readonly missing: readonly string[]; readonly unexpected: readonly string[] }>

/** What a deploy did. */
export interface DeployResult {
  /** Names, in the order in which they were applied by this deploy. */
  readonly applied: readonly string[]
  /** Migrations in the folder. */
  readonly total: number
  /** Migrations of the folder that the history read back says are applied. */
  readonly recorded: number
  /** Of those: edited after they were applied. */
  readonly edited: number
  /** Pending when the deploy started and applied by another deployer while this one waited. */
  readonly appliedMeanwhile: number
  /** The folder is older than the database. */
  readonly ahead: boolean
  readonly durationMs: number
}
