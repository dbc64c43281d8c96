import type { FleetResult } from "../../fleet/run.js"
import type { FleetTarget } from "../../fleet/target.js"
import { digestOf, type Folder } from "../../history/folder.js"
import { type PlanRequest, planMigrations } from "../../plan/plan.js"
import type { Plan } from "../../plan/planned.js"
import { type NoScratchRun, runOnScratch, type ScratchRun } from "../../plan/scratch-run.js"
import type { Client } from "../../postgres/connect.js"
import { type FleetReading, readEach } from "./read.js"

/** What a deploy of a fleet would do. `T`: what is kept of each database's plan. */
export interface FleetPlanRequest<T> extends Omit<FleetReading, "onRead"> {
  readonly folder: Folder
  readonly scratch: PlanRequest["scratch"]
  readonly external: PlanRequest["external"]
  /** Called as each plan is made: a thousand whole plans would take the memory. */
  readonly keep: (target: FleetTarget, plan: Plan) => T
}

/**
 * Plans every database, with the sizes of its own tables. What is pending is observed once for each state of the applied
 * migrations, major version of the server and schema, however many databases are in it.
 */
export async function planFleet<T>(request: FleetPlanRequest<T>): Promise<FleetResult<T>> {
  const { folder, scratch, external, keep } = request
  const observe = observeOnce()
  const { keepPrepared } = await import("../../deploy/apply/prepare.js")
  keepPrepared(folder.migrations)
  return await readEach({ ...request, onRead: () => undefined }, async (target, connections) =>
    keep(target, await planMigrations({ url: target.url, folder, scratch, external, connections, observe })),
  )
}

/** How a database differs from its history is known of the one alone that was observed. */
function observeOnce(): typeof runOnScratch {
  const runs = new Map<string, Promise<ScratchRun | NoScratchRun>>()
  return async (choice, work) => {
    const { applied, pending, url } = work
    const names = pending.map(({ prepared }) => prepared.migration.name)
    const key = JSON.stringify([digestOf(applied), names, url.schema, await majorOf(work.target)])
    const known = runs.get(key)
    const run = known ?? runOnScratch(choice, work)
    runs.set(key, run)
    const found = await run
    return known !== undefined && "runs" in found ? { ...found, drift: undefined } : found
  }
}

async function majorOf(client: Client): Promise<number> {
  const { rows } = await client.query<{ version: string }>("SELECT current_setting('server_version_num') AS version")
  return Math.floor(Number(rows[0]?.version) / 10_000)
}
