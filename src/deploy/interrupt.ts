import { setTimeout as wait } from "node:timers/promises"
import { LockstepError } from "../errors.js"

/** The error of a deploy that a signal ended. */
export const interrupted = (state: string): LockstepError =>
  new LockstepError("L1001", "interrupted", { state, next: "run the same deploy again" })

/** Errors: L1001 a signal has come. */
export function throwIfInterrupted(signal: AbortSignal, state: string): void {
  if (signal.aborted) throw interrupted(state)
}

/** Waits for some milliseconds. Errors: L1001 a signal has come. */
export async function pause(ms: number, signal: AbortSignal, state: string): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => Promise.reject(interrupted(state)))
}

/** Growing, jittered delays: 250 ms, doubled each time up to 8 s, each between half and all of it. */
export function backoffMs(attempt: number): number {
  const full = Math.min(250 * 2 ** attempt, 8000)
  return Math.round(full / 2 + (Math.random() * full) / 2)
}
