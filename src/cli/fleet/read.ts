import { type FleetResult, runFleet } from "../../fleet/run.js"
import type { FleetTarget } from "../../fleet/target.js"
import type { OpenedFleet } from "./open.js"

/** What is read of each database of a fleet. */
export interface FleetReading extends Pick<OpenedFleet, "targets" | "limits"> {
  readonly signal: AbortSignal
  /** Whatever reading throws as our error. */
  readonly asError: (reason: unknown) => Error
  readonly onRead: (target: FleetTarget) => void
}

/** Reads every database, also where others cannot be read. */
export async function readEach<T>(
  { targets, limits, signal, asError, onRead }: FleetReading,
  read: (target: FleetTarget, connections: 1 | 2) => Promise<T>,
): Promise<FleetResult<T>> {
  const { NeedsSecondConnection } = await import("../../deploy/connect/pooler.js")
  return await runFleet<T>({
    ...{ waves: [targets], limits, signal },
    maxFailures: Number.POSITIVE_INFINITY,
    doneBefore: new Set(),
    confirmWave: async () => true,
    work: (target, connections) =>
      read(target, connections).catch((reason: unknown) =>
        Promise.reject(reason instanceof NeedsSecondConnection ? reason : asError(reason)),
      ),
    onEvent: (event) => {
      if (event.event === "ended") onRead(event.outcome.target)
    },
  })
}
