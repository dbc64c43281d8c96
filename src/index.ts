/** The library: what the commands do, as functions. docs/library.md shows how to use it. */
import { runDeploy } from "./cli/deploy.js"
import { readStatus } from "./cli/status.js"
import type { DeployResult, DeploySettings } from "./deploy/context.js"
import type { DeployEvent } from "./deploy/events.js"
import { open, type Source, settingsOf } from "./library/source.js"
import { parseDatabaseUrl } from "./postgres/url.js"
import { type PlanAnswer, planObject } from "./report/plan-json.js"
import { statusAnswerOf } from "./report/status.js"
import type { StatusAnswer } from "./report/status-json.js"
import { down, type EmbeddedServer, running, type UpOptions, up } from "./test-db/server.js"

export type { BackfillResult, BackfillSettings } from "./backfill/context.js"
export type { BackfillEvent } from "./backfill/events.js"
export { type ErrorCode, type ErrorDetails, errorCodes, LockstepError } from "./errors.js"
export { type BackfillOptions, backfill } from "./library/backfill.js"
export {
  type ChangeOptions,
  type DiffOptions,
  diff,
  type MigrateOptions,
  migrate,
  type UndoOptions,
  undo,
} from "./library/changes.js"
export {
  deployFleet,
  type FleetDeployOptions,
  type FleetEvent,
  type FleetSource,
  type FleetStatusOptions,
  type FleetTargetOptions,
  fleetStatus,
} from "./library/fleet.js"
export type { FleetStatusAnswer, FleetSummary } from "./report/fleet/json.js"
export type { DiffAnswer, MigrateAnswer, UndoAnswer } from "./report/schemas.js"
export { version } from "./version.js"
export type { DeployEvent, DeployResult, DeploySettings, EmbeddedServer, PlanAnswer, Source, StatusAnswer }

/** How to deploy; what is not given is as for `lockstep deploy`. Times are milliseconds. */
export interface DeployOptions extends Source, Partial<Omit<DeploySettings, "allowEmpty">> {
  /** "schema" also replays the history on a scratch database, and compares. */
  readonly verify?: "history" | "schema"
  /** A database to use in place of a new scratch database. It is emptied. */
  readonly shadowDatabaseUrl?: string
  /** Shown as application_name, so that a waiting deployer can report who holds the lock. */
  readonly applicationName?: string
  /** When it aborts, the statement at work is cancelled and the deploy fails with L1001. */
  readonly signal?: AbortSignal
  /** Receives what happens as it happens. */
  readonly onEvent?: (event: DeployEvent) => void
  /** Also report what the server does while a statement runs long; it takes a second connection. */
  readonly reportsActivity?: boolean
}

/**
 * Applies the pending migrations and verifies the history, as `lockstep deploy` does: any number of processes may call
 * it at once. Rejects with a LockstepError, whose `details` say what state the database is in and what to do next.
 */
export async function deploy(options: DeployOptions): Promise<DeployResult> {
  const { url, folder } = open(options)
  const { verify = "history", shadowDatabaseUrl, applicationName = "lockstep", onEvent = () => undefined } = options
  return await runDeploy({
    url,
    folder,
    settings: { ...settingsOf(options), verify },
    shadow: { shadowUrl: shadowDatabaseUrl, initShadowDb: undefined },
    applicationName,
    signal: options.signal ?? new AbortController().signal,
    onEvent,
    reportsActivity: options.reportsActivity,
  })
}

/** The state of each migration: what `lockstep status --json` prints. Reads only. */
export async function status(source: Source): Promise<StatusAnswer> {
  const { url, folder } = open(source)
  const { comparison, ...database } = await readStatus(url, folder)
  return statusAnswerOf(comparison, database)
}

/** Where to observe what is pending. */
export interface PlanOptions extends Source {
  /** A database on the server where scratch databases are made; without it as for `lockstep plan`. */
  readonly shadowDatabaseUrl?: string
  /** "estimate": from the SQL alone, without a scratch database. */
  readonly basis?: "observe" | "estimate"
}

/** What a deploy would do, statement by statement: what `lockstep plan --json` prints. Of the database it reads only. */
export async function plan(options: PlanOptions): Promise<PlanAnswer> {
  const { planMigrations } = await import("./plan/plan.js")
  const { shadowDatabaseUrl: shadow, basis } = options
  const shadowUrl = shadow === undefined ? undefined : parseDatabaseUrl(shadow)
  const scratch = basis === "estimate" ? "none" : { root: process.cwd(), shadowUrl, initShadowDb: undefined }
  return planObject(await planMigrations({ ...open(options), scratch }), [])
}

/** A project's test database: the embedded PostgreSQL of `lockstep test-db`. */
export interface TestDatabaseOptions {
  /** The project's folder; the working directory where it is not given. */
  readonly root?: string
}

/** The test database of a project. It keeps running when the process ends. */
export const testDatabase = {
  /** Starts it, or finds it running. `settings` are PostgreSQL's, for a server that is started. */
  start: (options: TestDatabaseOptions & UpOptions = {}): Promise<EmbeddedServer> => up(rootOf(options), options),
  /** Stops it and removes its data. */
  stop: (options: TestDatabaseOptions = {}): Promise<"stopped" | "not running"> => down(rootOf(options)),
  /** undefined where it is not running. */
  find: (options: TestDatabaseOptions = {}): Promise<EmbeddedServer | undefined> => running(rootOf(options)),
} as const

const rootOf = ({ root }: TestDatabaseOptions): string => root ?? process.cwd()
