import { resolve } from "node:path"
import { deployFleet as deployAll } from "../cli/fleet/deploy.js"
import { fleetDriftFinder } from "../cli/fleet/drift.js"
import { readFleet } from "../cli/fleet/status.js"
import type { DeploySettings } from "../deploy/context.js"
import type { DeployEvent } from "../deploy/events.js"
import { interrupted } from "../deploy/interrupt.js"
import { LockstepError } from "../errors.js"
import { parseTargets } from "../fleet/list.js"
import { openRunFile, readRun } from "../fleet/run-file.js"
import type { FleetTarget } from "../fleet/target.js"
import { failureBudget, parseCanary, wavesOf } from "../fleet/waves.js"
import { asLockstepError } from "../report/error.js"
import type { FleetStatusAnswer, FleetSummary, TargetResult } from "../report/fleet/json.js"
import { resultOf, summaryOf } from "../report/fleet/results.js"
import { fleetStatusOf } from "../report/fleet/status.js"
import { type FolderSource, openFolder, settingsOf } from "./source.js"

/** A database, or a schema of one. */
export interface FleetTargetOptions {
  /** postgresql://user:password@host:port/database?schema=public */
  readonly url: string
  /** Unique in the list; the database's where it is not given. */
  readonly name?: string
  /** In place of the URL's. */
  readonly schema?: string
  readonly group?: string
  /** Those with a lower one are done before one with a higher one begins; 0 where it is not given. */
  readonly order?: number
}

/** Many databases, and the migrations that belong to all of them. */
export interface FleetSource extends FolderSource {
  readonly targets: readonly (string | FleetTargetOptions)[]
  /** How many at once, 8 where it is not given; as many connections are opened. */
  readonly concurrency?: number
  /** How many of them on one server. */
  readonly concurrencyPerHost?: number
  /** When it aborts, the statements at work are cancelled, and no other target is begun. */
  readonly signal?: AbortSignal
}

/** What happens in a fleet's deploy. */
export type FleetEvent =
  | { readonly event: "wave"; readonly index: number; readonly of: number; readonly targets: number }
  /** What one target's deploy reports. */
  | { readonly event: "deploy"; readonly target: string; readonly deploy: DeployEvent }
  /** A target has ended. */
  | ({ readonly event: "target" } & TargetResult)

/** How to deploy to a fleet; what is not given is as for `lockstep deploy --targets`. */
export interface FleetDeployOptions extends FleetSource, Partial<Omit<DeploySettings, "allowEmpty">> {
  /** How far each wave goes, such as ["1", "10", "50%"]; without it there is one. */
  readonly canary?: readonly string[]
  /** Whether the next wave, from 2 on, may begin; without it every one does. */
  readonly confirmWave?: (next: number) => Promise<boolean>
  /** How many may fail before no other is started, or which share of them, such as "2%"; 0 where it is not given. */
  readonly maxFailures?: number | string
  /** The file to keep the run's state in; where it exists, that run is resumed: what it has done is not asked again. */
  readonly runFile?: string
  readonly verify?: "history" | "schema"
  /** A database to use in place of new scratch databases. It is emptied. */
  readonly shadowDatabaseUrl?: string
  readonly applicationName?: string
  readonly onEvent?: (event: FleetEvent) => void
}

/**
 * Deploys to many databases, as `lockstep deploy --targets` does. Resolves also where some fail: its summary has the
 * failures by reason. Rejects where nothing was touched: L2001 and L2003 wrong targets, L2004 wrong options, L11xx the folder.
 */
export async function deployFleet(options: FleetDeployOptions): Promise<FleetSummary> {
  const { maxFailures = 0, canary = [], onEvent = () => undefined, verify = "history", runFile } = options
  const folder = openFolder(options)
  const targets = await targetsOf(options)
  const waves = wavesOf(targets, parseCanary(canary))
  const budget = failureBudget(String(maxFailures), targets.length)
  const run = runFile === undefined ? undefined : await openRun(resolve(runFile), { history: folder.digest, targets })
  const shadow = { shadowUrl: options.shadowDatabaseUrl, initShadowDb: undefined }
  const result = await deployAll({
    ...{ waves, limits: limitsOf(options), maxFailures: budget, signal: signalOf(options), folder, shadow },
    ...{ earlier: run?.earlier, runFile: run?.file, findDrift: fleetDriftFinder(shadow), asError: asLockstepError },
    confirmWave: options.confirmWave ?? (async () => true),
    settings: { ...settingsOf(options), verify },
    applicationName: options.applicationName ?? "lockstep",
    onEvent: (event, progressOf) => {
      if (event.event === "work") onEvent({ event: "deploy", target: event.target.name, deploy: event.work })
      if (event.event === "wave") onEvent({ ...event, targets: event.targets.length })
      if (event.event === "ended")
        onEvent({ event: "target", ...resultOf(event.outcome, progressOf(event.outcome.target)) })
    },
  })
  const results = result.outcomes.map((outcome) => resultOf(outcome, result.progressOf(outcome.target)))
  const facts = { history: folder.digest, migrations: folder.migrations.length, shard: null }
  return summaryOf(results, {
    ...{ ...facts, durationMs: result.durationMs, stop: result.stop?.why, runFile: runFile ?? null },
  })
}

/** How to look at a fleet; what is not given is as for `lockstep fleet status`. */
export interface FleetStatusOptions extends FleetSource {
  /** "schema" also replays the histories on scratch databases, and compares. */
  readonly verify?: "history" | "schema"
  readonly shadowDatabaseUrl?: string
}

/**
 * Where each database of a fleet stands: what `lockstep fleet status --json` prints. Reads only. A database that cannot be read is in
 * the answer. Errors: L1001 the signal aborted, L2001, L2003, L11xx.
 */
export async function fleetStatus(options: FleetStatusOptions): Promise<FleetStatusAnswer> {
  const folder = openFolder(options)
  const signal = signalOf(options)
  const shadow = { shadowUrl: options.shadowDatabaseUrl, initShadowDb: undefined }
  const result = await readFleet({
    ...{ targets: await targetsOf(options), limits: limitsOf(options), folder, signal, asError: asLockstepError },
    findDrift: options.verify === "schema" ? fleetDriftFinder(shadow) : undefined,
    onRead: () => undefined,
  })
  if (signal.aborted) throw interrupted("nothing was touched.")
  return fleetStatusOf(result, {
    history: folder.digest,
    migrations: folder.migrations.map(({ name }) => name),
    shard: null,
  })
}

const signalOf = ({ signal }: FleetSource): AbortSignal => signal ?? new AbortController().signal

async function targetsOf({ targets }: FleetSource): Promise<readonly FleetTarget[]> {
  const entries = targets.map((target, index) => ({
    place: `targets[${index}]`,
    text: typeof target === "string" ? target : JSON.stringify(target),
  }))
  const noBase = () => Promise.reject(new Error("it has no url"))
  return await parseTargets(entries, noBase)
}

function limitsOf({ concurrency = 8, concurrencyPerHost: perHost = 0 }: FleetSource) {
  if (Number.isInteger(concurrency) && concurrency > 0) return { concurrency, perHost }
  throw new LockstepError("L2004", "`concurrency` is not a whole number above 0", { state: "nothing was touched." })
}

async function openRun(path: string, { history, targets }: { history: string; targets: readonly FleetTarget[] }) {
  const { existsSync } = await import("node:fs")
  const earlier = existsSync(path) ? readRun(path, history, targets) : undefined
  return { earlier, file: openRunFile({ path, history, targets: targets.length }, new Date()) }
}
