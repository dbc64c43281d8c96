import { setMaxListeners } from "node:events"
import { NeedsSecondConnection } from "../deploy/connect/pooler.js"
import { LockstepError } from "../errors.js"
import type { EndedOutcome, Outcome } from "./outcome.js"
import { type Limits, workOnAll } from "./schedule.js"
import type { FleetTarget } from "./target.js"
import { stagesOf, type Wave } from "./waves.js"

/** Why a fleet stopped before its end. */
export type Stop =
  | { readonly why: "failures" }
  | { readonly why: "signal" }
  /** After this wave, from 1 on, the next was not confirmed. */
  | { readonly why: "wave"; readonly after: number }

/** What happens in a fleet, as it happens. */
export type FleetEvent<T> =
  | { readonly event: "wave"; readonly index: number; readonly of: number; readonly targets: readonly FleetTarget[] }
  | { readonly event: "started"; readonly target: FleetTarget }
  | { readonly event: "ended"; readonly outcome: EndedOutcome<T> }
  | { readonly event: "wave-ended"; readonly index: number; readonly of: number }

/** Work on many targets. */
export interface FleetRequest<T> {
  readonly waves: readonly Wave[]
  readonly limits: Limits
  /** How many may fail before no other is started. */
  readonly maxFailures: number
  readonly signal: AbortSignal
  /** Targets that an earlier run has done, by their key: they are not asked. */
  readonly doneBefore: ReadonlySet<string>
  /**
   * What is done to a target, over so many connections: given one, it may throw NeedsSecondConnection, and is started
   * again with two. A failure is a LockstepError.
   */
  readonly work: (target: FleetTarget, connections: 1 | 2) => Promise<T>
  readonly onEvent: (event: FleetEvent<T>) => void
  /** Whether the next wave may begin; `next`: from 1 on. */
  readonly confirmWave: (next: number) => Promise<boolean>
}

/** How a fleet ended. */
export interface FleetResult<T> {
  /** One for every target, in the order of the waves. */
  readonly outcomes: readonly Outcome<T>[]
  /** Undefined where every target was asked. */
  readonly stop: Stop | undefined
  readonly durationMs: number
}

/**
 * Does the work on every target: wave after wave, within the limits, until more have failed than are accepted. Then, and
 * after a signal, no other is started, and those at work end: after a signal by being interrupted, else normally.
 */
export async function runFleet<T>(request: FleetRequest<T>): Promise<FleetResult<T>> {
  const { waves, limits, signal, doneBefore, onEvent } = request
  const started = performance.now()
  // Every deploy listens for it.
  setMaxListeners(0, signal)
  const run = new Run(request)
  let stop: Stop | undefined
  let hasRun = false
  for (const [at, wave] of waves.entries()) {
    const targets = wave.filter(({ key }) => !doneBefore.has(key))
    if (targets.length === 0) continue
    if (hasRun && !(await request.confirmWave(at + 1))) stop = run.stopReason ?? { why: "wave", after: at }
    if (stop !== undefined) break
    hasRun = true
    onEvent({ event: "wave", index: at + 1, of: waves.length, targets })
    for (const stage of stagesOf(targets)) await workOnAll(stage, limits, run)
    onEvent({ event: "wave-ended", index: at + 1, of: waves.length })
    stop = run.stopReason
    if (stop !== undefined) break
  }
  const outcomes = waves.flat().map((target): Outcome<T> => {
    if (doneBefore.has(target.key)) return { state: "done before", target }
    return run.ended.get(target.key) ?? { state: "not started", target }
  })
  const isWhole = outcomes.every(({ state }) => state !== "not started" && state !== "interrupted")
  return { outcomes, stop: isWhole ? undefined : stop, durationMs: Math.round(performance.now() - started) }
}

class Run<T> {
  readonly ended = new Map<string, EndedOutcome<T>>()
  #failures = 0

  constructor(private readonly request: FleetRequest<T>) {}

  get stopReason(): Stop | undefined {
    if (this.request.signal.aborted) return { why: "signal" }
    return this.#failures > this.request.maxFailures ? { why: "failures" } : undefined
  }

  readonly mayStart = (): boolean => this.stopReason === undefined

  readonly start = async (target: FleetTarget, connections: 1 | 2): Promise<"ended" | "again"> => {
    const { work, onEvent } = this.request
    const began = performance.now()
    const durationMs = () => Math.round(performance.now() - began)
    onEvent({ event: "started", target })
    let outcome: EndedOutcome<T>
    try {
      outcome = { state: "done", target, result: await work(target, connections), durationMs: durationMs() }
    } catch (reason) {
      if (reason instanceof NeedsSecondConnection && connections === 1) return "again"
      const error = asFailure(reason)
      const state = error.code === "L1001" ? "interrupted" : "failed"
      if (state === "failed") this.#failures++
      outcome = { state, target, error, durationMs: durationMs() }
    }
    this.ended.set(target.key, outcome)
    onEvent({ event: "ended", outcome })
    return "ended"
  }
}

function asFailure(reason: unknown): LockstepError {
  if (reason instanceof LockstepError) return reason
  return new LockstepError("L1000", reason instanceof Error ? reason.message : String(reason), { cause: reason })
}
