import { type FleetEvent, type FleetRequest, type FleetResult, runFleet } from "../../fleet/run.js"
import type { EarlierRun, RunFile } from "../../fleet/run-file.js"
import type { FleetTarget } from "../../fleet/target.js"

/** What was done to one target, by the names of migrations or backfills. */
export interface TargetProgress {
  readonly applied: readonly string[]
  /** The newest migration of the folder that is applied; null where none is, or it is not known. */
  readonly newest: string | null
}

/** What happens in a fleet. `E`: what the work on a target reports. */
export type FleetWorkEvent<E> =
  | FleetEvent<TargetProgress>
  | { readonly event: "work"; readonly target: FleetTarget; readonly work: E }

/** What is known of a target while it is worked on. */
export interface Tracker<E> {
  readonly take: (event: E) => void
  readonly progress: () => TargetProgress
}

/** Receives what happens. `progressOf`: what is known of a target. */
export type OnFleetWork<E> = (event: FleetWorkEvent<E>, progressOf: (target: FleetTarget) => TargetProgress) => void

/** What every command takes that works on a fleet: how far, how many at once, and a run's state. */
export interface FleetWorkRequest<E>
  extends Pick<FleetRequest<TargetProgress>, "waves" | "limits" | "maxFailures" | "signal" | "confirmWave"> {
  /** The run that is resumed. */
  readonly earlier: EarlierRun | undefined
  /** Undefined where none can be kept. */
  readonly runFile: RunFile | undefined
  /** Whatever the work throws as our error. */
  readonly asError: (reason: unknown) => Error
  readonly onEvent: OnFleetWork<E>
}

/** The work of one command. */
export interface FleetWork<E> {
  /** The newest migration of a target that is done; null where the work applies none. */
  readonly newest: string | null
  readonly track: () => Tracker<E>
  readonly doOne: (one: {
    readonly target: FleetTarget
    readonly connections: 1 | 2
    readonly report: (event: E) => void
  }) => Promise<readonly string[]>
}

/** How the work on a fleet ended, and what is known of each target, those that failed included. */
export interface FleetWorkResult extends FleetResult<TargetProgress> {
  readonly progressOf: (target: FleetTarget) => TargetProgress
}

/** Does the work on every target, keeps the run's file, and knows how far each one is. */
export async function workOnFleet<E>(request: FleetWorkRequest<E>, work: FleetWork<E>): Promise<FleetWorkResult> {
  const { earlier, runFile, onEvent, asError } = request
  const trackers = new Map<string, Tracker<E>>()
  const progressOf = ({ key }: FleetTarget): TargetProgress =>
    trackers.get(key)?.progress() ?? { applied: [], newest: earlier?.done.has(key) ? work.newest : null }
  const { NeedsSecondConnection } = await import("../../deploy/connect/pooler.js")
  const result = await runFleet<TargetProgress>({
    ...request,
    work: async (target, connections) => {
      const tracker = work.track()
      trackers.set(target.key, tracker)
      const report = (event: E): void => {
        tracker.take(event)
        onEvent({ event: "work", target, work: event }, () => tracker.progress())
      }
      const applied = await work.doOne({ target, connections, report }).catch((reason: unknown) => {
        throw reason instanceof NeedsSecondConnection ? reason : asError(reason)
      })
      // What was done needs no record of its own; a thousand of them would take the memory.
      trackers.delete(target.key)
      return { applied, newest: work.newest }
    },
    doneBefore: earlier?.done ?? new Set(),
    onEvent: (event) => {
      if (event.event === "started") runFile?.note("started", event.target)
      if (event.event === "ended") runFile?.note(event.outcome.state, event.outcome.target)
      onEvent(event, progressOf)
    },
  })
  return { ...result, progressOf }
}
