import type { DeployRequest, DeployResult, DeploySettings } from "../../deploy/context.js"
import type { DeployEvent } from "../../deploy/events.js"
import { type FleetEvent, type FleetRequest, type FleetResult, runFleet } from "../../fleet/run.js"
import type { EarlierRun, RunFile } from "../../fleet/run-file.js"
import type { FleetTarget } from "../../fleet/target.js"
import type { Folder } from "../../history/folder.js"
import type { Project } from "../../project/project.js"
import { runDeploy } from "../deploy.js"
import type { FleetDriftFinder } from "./drift.js"

/** What one deploy did, and the newest migration of the folder that is applied; null where none is, or it is not known. */
export interface DeployedTarget {
  readonly applied: readonly string[]
  readonly newest: string | null
}

export type FleetDeployEvent =
  | FleetEvent<DeployedTarget>
  | { readonly event: "deploy"; readonly target: FleetTarget; readonly deploy: DeployEvent }

/** A deploy of a fleet: how far, how many at once, and what `lockstep deploy` takes. */
export interface FleetDeployRequest
  extends Pick<FleetRequest<DeployedTarget>, "waves" | "limits" | "maxFailures" | "signal" | "confirmWave"> {
  readonly folder: Folder
  readonly external?: DeployRequest["external"]
  readonly settings: DeploySettings & {
    readonly verify: "history" | "schema"
    readonly backupTo?: string | undefined
  }
  readonly shadow: Pick<Project, "shadowUrl" | "initShadowDb">
  readonly applicationName: string
  /** The run that is resumed. */
  readonly earlier: EarlierRun | undefined
  /** Undefined where none can be kept. */
  readonly runFile: RunFile | undefined
  /** For --verify schema. */
  readonly findDrift: FleetDriftFinder
  /** Whatever a deploy throws as our error. */
  readonly asError: (reason: unknown) => Error
  readonly onEvent: (event: FleetDeployEvent, progressOf: (target: FleetTarget) => DeployedTarget) => void
}

/** How a fleet's deploy ended, and what is known of each target, those that failed included. */
export interface FleetDeployResult extends FleetResult<DeployedTarget> {
  readonly progressOf: (target: FleetTarget) => DeployedTarget
}

/**
 * Deploys to every target as `lockstep deploy` does to one database. The folder has been read once; its migrations are
 * parsed and checked once as well.
 */
export async function deployFleet(request: FleetDeployRequest): Promise<FleetDeployResult> {
  const { folder, earlier, runFile, onEvent } = request
  const { keepPrepared } = await import("../../deploy/apply/prepare.js")
  keepPrepared(folder.migrations)
  const standing = new Map<string, Standing>()
  const newest = folder.migrations.at(-1)?.name ?? null
  const progressOf = ({ key }: FleetTarget): DeployedTarget =>
    standing.get(key)?.progress() ?? { applied: [], newest: earlier?.done.has(key) ? newest : null }
  const work = async (target: FleetTarget, connections: 1 | 2): Promise<DeployedTarget> => {
    const own = new Standing(folder)
    standing.set(target.key, own)
    const result = await deployOne(request, { target, connections, standing: own })
    // What was done needs no record of its own; a thousand of them would take the memory.
    standing.delete(target.key)
    return { applied: result.applied, newest }
  }
  const result = await runFleet<DeployedTarget>({
    ...request,
    work,
    doneBefore: earlier?.done ?? new Set(),
    onEvent: (event) => {
      if (event.event === "started") runFile?.note("started", event.target)
      if (event.event === "ended") runFile?.note(event.outcome.state, event.outcome.target)
      onEvent(event, progressOf)
    },
  })
  return { ...result, progressOf }
}

interface One {
  readonly target: FleetTarget
  readonly connections: 1 | 2
  readonly standing: Standing
}

async function deployOne(request: FleetDeployRequest, { target, connections, standing }: One): Promise<DeployResult> {
  const { folder, onEvent, findDrift } = request
  const remarks = new Set(folder.remarks)
  try {
    return await runDeploy({
      ...request,
      url: target.url,
      target,
      connections,
      findDrift: findDrift(target.url),
      reportsActivity: false,
      onEvent: (event) => {
        standing.take(event)
        // What is so of the folder is reported once.
        if (event.event === "began" || (event.event === "note" && remarks.has(event.text))) return
        onEvent({ event: "deploy", target, deploy: event }, () => standing.progress())
      },
    })
  } catch (reason) {
    const { NeedsSecondConnection } = await import("../../deploy/connect/pooler.js")
    throw reason instanceof NeedsSecondConnection ? reason : request.asError(reason)
  }
}

/** What is known of a target while it is deployed to. */
class Standing {
  readonly #applied: string[] = []
  #pending: Set<string> | undefined

  constructor(private readonly folder: Folder) {}

  take(event: DeployEvent): void {
    if (event.event === "planned") this.#pending = new Set(event.pending)
    if (event.event !== "applied") return
    this.#applied.push(event.name)
    this.#pending?.delete(event.name)
  }

  progress(): DeployedTarget {
    const pending = this.#pending
    const newest = pending && this.folder.migrations.findLast(({ name }) => !pending.has(name))?.name
    return { applied: [...this.#applied], newest: newest ?? null }
  }
}
