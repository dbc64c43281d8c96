import type { DeployRequest, DeploySettings } from "../../deploy/context.js"
import type { DeployEvent } from "../../deploy/events.js"
import type { Folder } from "../../history/folder.js"
import type { Project } from "../../project/project.js"
import { runDeploy } from "../deploy.js"
import type { FleetDriftFinder } from "./drift.js"
import { type FleetWorkRequest, type FleetWorkResult, type Tracker, workOnFleet } from "./work.js"

/** A deploy of a fleet: what `lockstep deploy` takes beside the fleet. */
export interface FleetDeployRequest extends FleetWorkRequest<DeployEvent> {
  readonly folder: Folder
  readonly external?: DeployRequest["external"]
  readonly settings: DeploySettings & {
    readonly verify: "history" | "schema"
    readonly backupTo?: string | undefined
  }
  readonly shadow: Pick<Project, "shadowUrl" | "initShadowDb">
  readonly applicationName: string
  /** For --verify schema. */
  readonly findDrift: FleetDriftFinder
}

/**
 * Deploys to every target as `lockstep deploy` does to one database. The folder has been read once; its migrations are
 * parsed and checked once as well.
 */
export async function deployFleet(request: FleetDeployRequest): Promise<FleetWorkResult> {
  const { folder, findDrift } = request
  const { keepPrepared } = await import("../../deploy/apply/prepare.js")
  keepPrepared(folder.migrations)
  const remarks = new Set(folder.remarks)
  return await workOnFleet(request, {
    newest: folder.migrations.at(-1)?.name ?? null,
    track: () => new Standing(folder),
    doOne: async ({ target, connections, report }) => {
      const { applied } = await runDeploy({
        ...request,
        ...{ url: target.url, target, connections, findDrift: findDrift(target.url), reportsActivity: false },
        onEvent: (event) => {
          // What is so of the folder is reported once.
          if (event.event === "began" || (event.event === "note" && remarks.has(event.text))) return
          report(event)
        },
      })
      return applied
    },
  })
}

/** What is known of a target while it is deployed to. */
class Standing implements Tracker<DeployEvent> {
  readonly #applied: string[] = []
  #pending: Set<string> | undefined

  constructor(private readonly folder: Folder) {}

  take = (event: DeployEvent): void => {
    if (event.event === "planned") this.#pending = new Set(event.pending)
    if (event.event !== "applied") return
    this.#applied.push(event.name)
    this.#pending?.delete(event.name)
  }

  progress = () => {
    const pending = this.#pending
    const newest = pending && this.folder.migrations.findLast(({ name }) => !pending.has(name))?.name
    return { applied: [...this.#applied], newest: newest ?? null }
  }
}
