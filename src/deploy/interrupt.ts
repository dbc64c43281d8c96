import { connect as connectSocket, isIP, type Socket } from "node:net"
import { setTimeout as wait } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
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

const timeoutMs = 1500

/**
 * Asks the server to cancel what the connection's session runs. A cancel request is a connection of its own that needs
 * neither a password nor one of the server's connection slots, and poolers pass it on. Resolves when the server has
 * taken it, or the wait for that timed out. Source: PostgreSQL's documentation, 54.2.9 "Canceling Requests in Progress".
 */
export async function requestCancel(client: Client, url: DatabaseUrl): Promise<void> {
  const { processID, secretKey, connection } = client
  if (processID === null || secretKey === null) return
  const message = Buffer.alloc(16)
  message.writeInt32BE(16, 0)
  message.writeInt32BE(80877102, 4)
  message.writeInt32BE(processID, 8)
  message.writeInt32BE(secretKey, 12)
  const socket = url.host.startsWith("/")
    ? connectSocket(`${url.host}/.s.PGSQL.${url.port}`)
    : connectSocket(url.port, url.host)
  await sent(socket, message, "encrypted" in connection.stream ? url : undefined).finally(() => socket.destroy())
}

function sent(socket: Socket, message: Buffer, secure: DatabaseUrl | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => resolve()
    setTimeout(done, timeoutMs).unref()
    socket.on("error", done).on("close", done)
    if (secure === undefined) {
      socket.on("connect", () => socket.write(message))
      return
    }
    // The secret, with which anybody could cancel, is encrypted where the session is.
    socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])))
    socket.once("data", () => {
      const servername = isIP(secure.host) ? {} : { servername: secure.host }
      // Loaded late: it takes 10 ms.
      const { connect } = process.getBuiltinModule("node:tls")
      const tls = connect({ ...secure.tls.options, ...servername, socket }, () => tls.write(message))
      tls.on("error", done).on("close", done)
    })
  })
}
