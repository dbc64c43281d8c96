import { setTimeout as wait } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import { requestCancel } from "../postgres/cancel.js"
import type { DeployContext } from "./context.js"

/** The error of a command that a signal ended. */
export const interrupted = (state: string): LockstepError =>
  new LockstepError("L1001", "interrupted", { state, next: "run the same command again" })

/** Errors: L1001 a signal has come. */
export function throwIfInterrupted(signal: AbortSignal, state: string): void {
  if (signal.aborted) throw interrupted(state)
}

/** Waits for some milliseconds. Errors: L1001 a signal has come. */
export async function pause(ms: number, signal: AbortSignal, state: string): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => Promise.reject(interrupted(state)))
}

/** Waits for work that cannot be interrupted itself; after a signal its result is ignored. Errors: L1001 a signal has come. */
export async function unlessInterrupted<T>(work: Promise<T>, signal: AbortSignal, state: string): Promise<T> {
  throwIfInterrupted(signal, state)
  return await new Promise<T>((resolve, reject) => {
    const stop = () => reject(interrupted(state))
    signal.addEventListener("abort", stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop))
  })
}

/** Growing, jittered delays: 250 ms, doubled each time up to 8 s, each between half and all of it. */
export function backoffMs(attempt: number): number {
  const full = Math.min(250 * 2 ** attempt, 8000)
  return Math.round(full / 2 + (Math.random() * full) / 2)
}

/** The result of work that ends within some milliseconds; undefined where it does not. */
export async function inTime<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  work.catch(() => undefined)
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, Math.max(ms, 0), undefined)
  })
  return await Promise.race([work, silence]).finally(() => clearTimeout(timer))
}

const repeatCancelMs = 200

interface Interruptible extends Pick<DeployContext, "client"> {
  readonly request: Pick<DeployContext["request"], "url" | "signal">
}

/**
 * Does work that runs one message of a migration; when a signal comes meanwhile, the statement is cancelled on the
 * server, where it would otherwise run on without its client. The request is repeated, because it may arrive between
 * two statements. None is in transit when this resolves, so that none can cancel what is sent next.
 */
export async function cancelledOnSignal<T>(
  { client, request: { url, signal } }: Interruptible,
  work: () => Promise<T>,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const requests = new Set<Promise<void>>()
  const request = () => {
    const sent = requestCancel(client, url).finally(() => requests.delete(sent))
    requests.add(sent)
  }
  const begin = () => {
    timer = setInterval(request, repeatCancelMs)
    request()
  }
  signal.addEventListener("abort", begin, { once: true })
  try {
    return await work()
  } finally {
    clearInterval(timer)
    signal.removeEventListener("abort", begin)
    await Promise.all(requests)
  }
}
