import { digestOf, type Folder, type FolderMigration } from "../history/folder.js"
import type { ExternalObjects, RecordedRow } from "../history/recorded.js"
import { rowIdFor } from "../history/squash.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import type { Prepared } from "./apply/prepare.js"
import type { DeployEvent } from "./events.js"
import type { ConnectionLost } from "./failure.js"

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
  /** Resume a failed non-transactional migration at the statement that failed. */
  readonly resume: boolean
  /** Accept a folder without migrations, even where the database has a history. */
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

/** What it takes to reach the database and its migration lock. */
export interface ConnectRequest {
  readonly url: DatabaseUrl
  readonly settings: DeploySettings
  /** Shown as application_name, so that a waiting deployer can report who holds the lock. */
  readonly applicationName: string
  readonly signal: AbortSignal
  readonly onEvent: (event: DeployEvent) => void
  /** 1: where a second connection is needed, NeedsSecondConnection is thrown, before anything is touched. */
  readonly connections?: 1 | 2 | undefined
}

/** Everything that a deploy needs. */
export interface DeployRequest extends ConnectRequest {
  readonly folder: Folder
  /** What others manage: a database without a history may hold it. */
  readonly external?: ExternalObjects | undefined
  /** Report what the server does while a statement runs long; it takes a second connection. */
  readonly reportsActivity?: boolean | undefined
  /**
   * Called once, under the migration lock, before anything pending is applied, with the history as it is then. What it
   * throws ends the deploy.
   */
  readonly beforeApplying?: ((client: Client, recorded: readonly RecordedRow[]) => Promise<void>) | undefined
  /** Asked about the backfills beside the migrations, where there are any. */
  readonly backfills?: BackfillGuard | undefined
  /** Verifies the schema too, by replaying the history on a scratch database. */
  readonly findDrift?: FindDrift | undefined
}

/** What a deploy asks about backfills, over its own connection. */
export interface BackfillGuard {
  /** Before the first migration is applied to a database without a history. */
  readonly onEmptyHistory: (client: Client) => Promise<void>
  /** Before a migration whose file names a backfill that has to be finished. Errors: L2110. `state`: the database's. */
  readonly before: (client: Client, migration: FolderMigration, state: string) => Promise<void>
  /** After all were applied to a database that had none. */
  readonly onFirstDeployed: (client: Client) => Promise<void>
}

/** The mark of a migration that comes after a backfill. */
export const afterBackfill = "lockstep-after-backfill"

/** Finds out how a database differs from what these migrations make, in this order; one line an object. */
export type FindDrift = (
  client: Client,
  applied: readonly { readonly name: string; readonly sql: string }[],
) => Promise<{ readonly missing: readonly string[]; readonly unexpected: readonly string[] }>

/** What a deploy did. */
export interface DeployResult {
  /** Names, in the order in which they were applied by this deploy. */
  readonly applied: readonly string[]
  /** Squashed migrations whose rows took the place of those that they replace; absent where there was none. */
  readonly adopted?: readonly string[]
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

/** What a deploy works with, once it is connected. */
export interface DeployContext {
  readonly client: Client
  readonly request: DeployRequest
  readonly progress: Progress
}

/** What one deploy has sent and done so far; it outlives a lost connection. */
export interface Progress {
  /** Names, in the order in which they were applied. */
  readonly applied: string[]
  /** Names of squashed migrations that the history has adopted. */
  readonly adopted: string[]
  /** What was started, by the id of its history row: by that a deploy recognizes its own rows. */
  readonly started: Map<string, Prepared>
  /** What was sent and not answered yet, by name, in order. */
  readonly sent: Map<string, Prepared>
  /** What had been sent when the connection was lost, until the history shows whether it is applied. */
  unconfirmed: readonly Prepared[]
  /** How many migrations and statements are known to be done. */
  completed: number
  /** How often the connection was lost. */
  disconnects: number
  /** The transaction_timeout that ended a session: nothing is applied after it. */
  timeout: ConnectionLost | undefined
  /** Whether the event "planned" was sent. */
  planReported: boolean
  /** Whether what comes before the first migration was done. */
  readyToApply: boolean
}

export const newProgress = (): Progress => ({
  applied: [],
  adopted: [],
  started: new Map(),
  sent: new Map(),
  unconfirmed: [],
  completed: 0,
  disconnects: 0,
  timeout: undefined,
  planReported: false,
  readyToApply: false,
})

/** Notes that a migration is about to be sent. Returns the id for its history row. */
export function startMigration({ started, sent }: Progress, prepared: Prepared): string {
  const id = rowIdFor(prepared.migration, digestOf)
  started.set(id, prepared)
  sent.set(prepared.migration.name, prepared)
  return id
}

type Reporting = Pick<DeployContext, "progress" | "request">

/** Notes and reports that a migration is applied. */
export function finishMigration({ progress, request }: Reporting, prepared: Prepared, durationMs: number): void {
  const { name } = prepared.migration
  progress.applied.push(name)
  progress.sent.delete(name)
  progress.completed++
  request.onEvent({ event: "applied", name, class: prepared.class, durationMs })
}

/** After a message without an answer, or one that was refused in part: finishes what the history shows as applied. */
export function confirmSent(reporting: Reporting, recorded: readonly RecordedRow[]): void {
  const { progress } = reporting
  for (const { id, startedAt, finishedAt } of recorded) {
    const prepared = progress.started.get(id)
    if (prepared === undefined || finishedAt === null || progress.applied.includes(prepared.migration.name)) continue
    finishMigration(reporting, prepared, Date.parse(finishedAt) - Date.parse(startedAt))
  }
  progress.sent.clear()
  progress.unconfirmed = []
}

/** What a deploy has done so far, for the state of an error; undefined where it has done nothing. */
export function appliedSoFar({ applied, unconfirmed }: Progress): string | undefined {
  const parts = []
  const count = applied.length === 1 ? "1 migration was" : `${applied.length} migrations were`
  if (applied.length > 0) parts.push(`${count} applied by this deploy, the last one is ${applied.at(-1)}.`)
  const [first, ...more] = unconfirmed.map(({ migration }) => migration.name)
  const names = more.length === 0 ? `${first} was` : `${first} and the next ${more.length} were`
  if (first !== undefined)
    parts.push(`Whether ${names} applied is not known: the connection was lost before the answer.`)
  return parts.join(" ") || undefined
}
