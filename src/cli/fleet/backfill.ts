import type { BackfillEvent } from "../../backfill/events.js"
import { type BackfillCall, runBackfill } from "../backfill.js"
import { type FleetWorkRequest, type FleetWorkResult, workOnFleet } from "./work.js"

/** Backfills of a fleet: what `lockstep backfill` takes beside the fleet. */
export type FleetBackfillRequest = FleetWorkRequest<BackfillEvent> &
  Pick<BackfillCall, "settings" | "applicationName" | "folder" | "backfills">

/** Runs the backfills in every target as `lockstep backfill` does in one database. */
export async function backfillFleet(request: FleetBackfillRequest): Promise<FleetWorkResult> {
  return await workOnFleet(request, {
    newest: null,
    track: () => {
      const applied: string[] = []
      return {
        take: (event) => {
          if (event.event === "finished") applied.push(event.name)
        },
        progress: () => ({ applied: [...applied], newest: null }),
      }
    },
    doOne: async ({ target: { url }, connections, report }) => {
      const onEvent = (event: BackfillEvent) => {
        if (event.event !== "began") report(event)
      }
      return (await runBackfill({ ...request, url, connections, onEvent })).finished
    },
  })
}
