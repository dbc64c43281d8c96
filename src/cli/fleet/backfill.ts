import type { BackfillEvent } from "../../backfill/events.js"
import type { BackfillFile } from "../../backfill/file.js"
import { type DryRun, dryRun, type Surveyed, surveyBackfills } from "../../backfill/survey.js"
import type { FleetResult } from "../../fleet/run.js"
import type { DatabaseUrl } from "../../postgres/url.js"
import { type BackfillCall, runBackfill } from "../backfill.js"
import { type FleetReading, readEach } from "./read.js"
import { type FleetWorkRequest, type FleetWorkResult, workOnFleet } from "./work.js"

/** Backfills of a fleet: what `lockstep backfill` takes beside the fleet. */
export type FleetBackfillRequest = FleetWorkRequest<BackfillEvent> &
  Pick<BackfillCall, "settings" | "applicationName" | "folder" | "backfills">

/** Runs the backfills in every target as `lockstep backfill` does in one database. */
export async function backfillFleet(request: FleetBackfillRequest): Promise<FleetWorkResult> {
  const names = request.backfills.map(({ name }) => name)
  return await workOnFleet(request, {
    newest: names.at(-1) ?? null,
    track: () => {
      const applied: string[] = []
      let newest: string | null = null
      return {
        take: (event) => {
          // They are run in their order: those before the one that begins are finished.
          if (event.event === "started") newest = names[names.indexOf(event.name) - 1] ?? null
          if (event.event !== "finished") return
          newest = event.name
          applied.push(event.name)
        },
        progress: () => ({ applied: [...applied], newest }),
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

/** What is read of the backfills of a fleet. */
export interface FleetBackfillReading extends FleetReading {
  readonly backfills: readonly BackfillFile[]
}

/** Where the backfills stand in every target. Reads only. */
export const surveyFleet = async (request: FleetBackfillReading): Promise<FleetResult<readonly Surveyed[]>> =>
  await readEach(request, async ({ url }, connections) => await surveyBackfills(readingOf(request, url, connections)))

/** What a run would do in every target. Reads only. */
export const dryRunFleet = async (
  request: FleetBackfillReading & { readonly batch: number },
): Promise<FleetResult<readonly DryRun[]>> =>
  await readEach(
    request,
    async ({ url }, connections) => await dryRun({ ...readingOf(request, url, connections), batch: request.batch }),
  )

const readingOf = ({ backfills }: FleetBackfillReading, url: DatabaseUrl, connections: 1 | 2) => ({
  ...{ url, connections, backfills, applicationName: "lockstep backfill" },
})
