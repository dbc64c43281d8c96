import { readComparison, readDatabase } from "../../deploy/connect/read.js"
import { type FleetResult, runFleet } from "../../fleet/run.js"
import { type Standing, standingOf } from "../../fleet/standing.js"
import type { FleetTarget } from "../../fleet/target.js"
import type { Comparison } from "../../history/compare.js"
import type { Folder } from "../../history/folder.js"
import type { Client } from "../../postgres/connect.js"
import type { FleetDriftFinder } from "./drift.js"
import type { OpenedFleet } from "./open.js"

/** Reads where each database of a fleet stands. */
export interface FleetStatusRequest extends Pick<OpenedFleet, "targets" | "limits"> {
  readonly folder: Folder
  /** Also compares each schema with what its applied migrations make; undefined: not. */
  readonly findDrift: FleetDriftFinder | undefined
  readonly signal: AbortSignal
  /** Whatever reading throws as our error. */
  readonly asError: (reason: unknown) => Error
  readonly onRead: (target: FleetTarget) => void
}

/** Reads every database, also where others cannot be read. */
export async function readFleet(request: FleetStatusRequest): Promise<FleetResult<Standing>> {
  const { targets, limits, signal, folder, findDrift, onRead } = request
  const standing = async (target: FleetTarget, connections: 1 | 2): Promise<Standing> => {
    const { url } = target
    const reading = { url, applicationName: "lockstep fleet status", connections }
    return await readDatabase(reading, async (client) => {
      const { comparison } = await readComparison(client, { url, folder })
      return standingOf(comparison, findDrift && (await driftOf(client, comparison, findDrift(url))))
    })
  }
  const { NeedsSecondConnection } = await import("../../deploy/connect/pooler.js")
  return await runFleet<Standing>({
    ...{ waves: [targets], limits, signal },
    maxFailures: Number.POSITIVE_INFINITY,
    doneBefore: new Set(),
    confirmWave: async () => true,
    work: (target, connections) =>
      standing(target, connections).catch((reason: unknown) =>
        Promise.reject(reason instanceof NeedsSecondConnection ? reason : request.asError(reason)),
      ),
    onEvent: (event) => {
      if (event.event === "ended") onRead(event.outcome.target)
    },
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
