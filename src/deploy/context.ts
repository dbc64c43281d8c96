import { randomUUID } from "node:crypto"
import type { Folder } from "../history/folder.js"
import type { RecordedRow } from "../history/recorded.js"
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
  /** Verifies the schema too, by replaying the history on a scratch database. */
  readonly findDrift?: FindDrift | undefined
}

/** How a database differs from what these migrations make, in this order; one line an object. */
export type FindDrift = (
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

/** What one deploy has sent and done so far; it outlives a lost connection. */
export interface Ledger {
  /** Names, in the order in which they were applied. */
  readonly applied: string[]
  /** What was begun, by the id of its history row: by that a deploy knows its own rows again. */
  readonly begun: Map<string, Prepared>
  /** What was sent and not answered yet, by name, in order. */
  readonly sent: Map<string, Prepared>
  /** What had been sent when the connection was lost; empty as soon as the history says what became of it. */
  unknown: readonly Prepared[]
  /** Grows with every migration and every statement that is known to be done. */
  moves: number
  /** How often the connection was lost. */
  losses: number
  /** The loss after which nothing is tried again. */
  end: ConnectionLost | undefined
  /** Whether what is going to be done has been told. */
  told: boolean
}

export const newLedger = (): Ledger => ({
  applied: [],
  begun: new Map(),
  sent: new Map(),
  unknown: [],
  moves: 0,
  losses: 0,
  end: undefined,
  told: false,
})

/** The id for the history row of a migration that is about to be sent. */
export function begin(ledger: Ledger, prepared: Prepared): string {
  const id = randomUUID()
  ledger.begun.set(id, prepared)
  ledger.sent.set(prepared.migration.name, prepared)
  return id
}

/** Notes that a migration is applied, and tells so. */
export function finish(ledger: Ledger, prepared: Prepared, durationMs: number, { onEvent }: DeployRequest): void {
  const { name } = prepared.migration
  ledger.applied.push(name)
  ledger.sent.delete(name)
  ledger.moves++
  onEvent({ event: "applied", name, class: prepared.class, durationMs })
}

/** After a message without an answer, or one that was refused in part: the history says which of ours are done. */
export function settle(ledger: Ledger, recorded: readonly RecordedRow[], request: DeployRequest): void {
  for (const { id, startedAt, finishedAt } of recorded) {
    const prepared = ledger.begun.get(id)
    if (prepared === undefined || finishedAt === null || ledger.applied.includes(prepared.migration.name)) continue
    finish(ledger, prepared, Date.parse(finishedAt) - Date.parse(startedAt), request)
  }
  ledger.sent.clear()
  ledger.unknown = []
}

/** What a deploy has done so far, for the state of an error; undefined where it has done nothing. */
export function soFar({ applied, unknown }: Ledger): string | undefined {
  const parts = []
  const count = applied.length === 1 ? "1 migration was" : `${applied.length} migrations were`
  if (applied.length > 0) parts.push(`${count} applied by this deploy, the last one is ${applied.at(-1)}.`)
  const [first, ...more] = unknown.map(({ migration }) => migration.name)
  const names = more.length === 0 ? `${first} was` : `${first} and the next ${more.length} were`
  if (first !== undefined)
    parts.push(`Whether ${names} applied is not known: the connection was lost before the answer.`)
  return parts.join(" ") || undefined
}
