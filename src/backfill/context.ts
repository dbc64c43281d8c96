import type { ConnectRequest, DeploySettings } from "../deploy/context.js"
import { defaultSettings } from "../deploy/context.js"
import type { Folder } from "../history/folder.js"
import type { Client } from "../postgres/connect.js"
import type { BackfillEvent } from "./events.js"
import type { BackfillFile } from "./file.js"
import type { ReplicaLag } from "./lag.js"

/** How backfills run. Times are milliseconds. */
export interface BackfillSettings
  extends Pick<DeploySettings, "connectTimeout" | "lockWait" | "lockTimeout" | "retries"> {
  /** How many rows a batch has at most. */
  readonly batch: number
  /** How long a batch is to take. */
  readonly batchTime: number
  /** How long to wait between two batches. */
  readonly pause: number
  /** How far a replica may be behind; 0: no replica is looked at. */
  readonly maxLag: number
  /** Forget what was done of these backfills. */
  readonly restart: boolean
  /** Continue a backfill with its file as it was edited since it began. */
  readonly resumeEdited: boolean
}

export const defaultBackfillSettings: BackfillSettings = Object.freeze({
  connectTimeout: defaultSettings.connectTimeout,
  lockWait: defaultSettings.lockWait,
  lockTimeout: defaultSettings.lockTimeout,
  retries: defaultSettings.retries,
  batch: 10_000,
  batchTime: 500,
  pause: 0,
  maxLag: 0,
  restart: false,
  resumeEdited: false,
})

/** Everything that it takes to run backfills. */
export interface BackfillRequest extends Pick<ConnectRequest, "url" | "applicationName" | "signal" | "connections"> {
  readonly settings: BackfillSettings
  /** The migrations beside the backfills. */
  readonly folder: Pick<Folder, "migrations">
  /** Those to run, in order; what is finished already is passed over. */
  readonly backfills: readonly BackfillFile[]
  readonly onEvent: (event: BackfillEvent) => void
}

/** What came of it. */
export interface BackfillResult {
  /** Names, in the order in which this run has finished them. */
  readonly finished: readonly string[]
  /** Names of those that were finished before. */
  readonly finishedBefore: readonly string[]
  readonly durationMs: number
}

/** What a run works with, once it is connected. */
export interface BackfillContext {
  readonly client: Client
  readonly request: BackfillRequest
  readonly state: RunState
}

/** What one run has done so far; it outlives a lost connection. */
export interface RunState {
  readonly finished: string[]
  readonly finishedBefore: string[]
  /** Backfills whose earlier progress is forgotten. */
  readonly restarted: Set<string>
  /** Backfills whose start was reported. */
  readonly started: Set<string>
  /** How many batches are known to be done. */
  batches: number
  /** How often the connection was lost. */
  disconnects: number
  /** Aborts some time after the request's signal. */
  readonly lateSignal: AbortSignal
  readonly replicas: ReplicaLag
}
