import { readComparison, readDatabase } from "../../deploy/connect/read.js"
import type { FleetResult } from "../../fleet/run.js"
import { type Standing, standingOf } from "../../fleet/standing.js"
import type { Comparison } from "../../history/compare.js"
import type { Folder } from "../../history/folder.js"
import type { Client } from "../../postgres/connect.js"
import type { FleetDriftFinder } from "./drift.js"
import { type FleetReading, readEach } from "./read.js"

/** Reads where each database of a fleet stands. */
export interface FleetStatusRequest extends FleetReading {
  readonly folder: Folder
  /** Also compares each schema with what its applied migrations make; undefined: not. */
  readonly findDrift: FleetDriftFinder | undefined
}

/** Reads every database, also where others cannot be read. */
export async function readFleet(request: FleetStatusRequest): Promise<FleetResult<Standing>> {
  const { folder, findDrift } = request
  return await readEach(request, async ({ url }, connections) => {
    const reading = { url, applicationName: "lockstep fleet status", connections }
    return await readDatabase(reading, async (client) => {
      const { comparison } = await readComparison(client, { url, folder })
      return standingOf(comparison, findDrift && (await driftOf(client, comparison, findDrift(url))))
    })
  })
}

/** Nothing can be compared where it is not known what is applied: a failed migration, or one that the folder does not hold. */
async function driftOf(
  client: Client,
  { applied, missing, failed, inBetween }: Comparison,
  findDrift: ReturnType<FleetDriftFinder>,
): Promise<readonly string[] | undefined> {
  if (missing.length + failed.length + inBetween.length > 0) return undefined
  const { driftLines } = await import("../../deploy/verify/verify.js")
  const order = applied.toSorted((one, other) => (one.row.startedAt < other.row.startedAt ? -1 : 1))
  return driftLines(
    await findDrift(
      client,
      order.map(({ name, migration }) => ({ name, sql: migration.text })),
    ),
  )
}
