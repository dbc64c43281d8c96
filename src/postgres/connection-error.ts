import pg from "pg"
import { type ErrorCode, LockstepError } from "../errors.js"
import { type ConnectionProblem, connectionProblem } from "./sqlstate.js"
import type { DatabaseUrl } from "./url.js"

/** What a socket's error code means while a connection is opened. */
const socketProblems: Readonly<Record<string, ConnectionProblem>> = {
  ECONNREFUSED: {
    code: "L1210",
    message: "nothing listens there",
    next: "start the server (locally: `lockstep test-db up`), or correct the host and port",
  },
  ENOENT: {
    code: "L1210",
    message: "the socket does not exist",
    next: "start the server, or correct the socket's folder",
  },
  ENOTFOUND: { code: "L1211", message: "the host name is not known", next: "correct the host in the URL" },
  EAI_AGAIN: {
    code: "L1211",
    message: "the host name cannot be resolved now",
    next: "try again, or correct the host in the URL",
  },
  ETIMEDOUT: {
    code: "L1212",
    message: "timed out waiting for an answer",
    next: "check the network path and firewall, or raise connect_timeout in the URL",
  },
  EHOSTUNREACH: { code: "L1212", message: "no route to the host", next: "check the network path and firewall" },
  ENETUNREACH: { code: "L1212", message: "the network is unreachable", next: "check the network path" },
  ECONNRESET: {
    code: "L1212",
    message: "the connection was closed while it was opened",
    next: "check the server's log",
  },
}

const tlsProblem: ConnectionProblem = {
  code: "L1218",
  message: "the TLS connection cannot be established",
  next: "correct sslmode, sslrootcert or sslaccept in the URL",
}

const temporary = new Set<ErrorCode>(["L1210", "L1211", "L1212", "L1216", "L1217"])

/** Whether the server may answer later: it is starting up, refuses, is not in the DNS yet, or has no connection left. */
export function mayComeUp(error: unknown): boolean {
  return error instanceof LockstepError && temporary.has(error.code)
}

/** Why a connection cannot be opened: where, what, and what to do. Errors: L1210 to L1219. */
export function connectionError(cause: unknown, url: DatabaseUrl): LockstepError {
  if (cause instanceof LockstepError) return cause
  const { problem, sqlstate, message } = reasonOf(cause)
  const { code, message: what, next } = problem ?? { code: "L1219", message, next: "check the server's log" }
  return new LockstepError(code, `cannot connect to ${url.display}: ${what}`, {
    sqlstate,
    hint: what === message ? undefined : message,
    state: "nothing was touched.",
    next: sqlstate === "28000" && url.tls.mode === "disable" ? `${next}; ${mayRequireTls}` : next,
    cause,
  })
}

const mayRequireTls = "where that requires TLS, remove sslmode=disable from the URL"

interface Reason {
  readonly problem: ConnectionProblem | undefined
  readonly sqlstate?: string | undefined
  readonly message: string
}

/**
 * The server's errors are distinguished by their code alone, because their text may be in any language. The driver's own
 * have no code: they are known by their English text, which is that of the pinned version.
 */
function reasonOf(cause: unknown): Reason {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reasonOf(cause.errors[0])
  if (!(cause instanceof Error)) return { problem: undefined, message: String(cause) }
  const { message } = cause
  const server = (sqlstate: string | undefined): Reason => ({ problem: connectionProblem(sqlstate), sqlstate, message })
  if (cause instanceof pg.DatabaseError) return server(cause.code)
  // The driver refuses an absent or empty password before the server can.
  if (message.startsWith("SASL: ") && /password/.test(message)) return server("28P01")
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  if (/timeout expired/i.test(message)) return { problem: socketProblems.ETIMEDOUT, message }
  if (code === "EPIPE" || /Connection terminated/i.test(message)) return { problem: socketProblems.ECONNRESET, message }
  const isTls = /SSL|certificate|TLS|CERT_|ERR_TLS|PKCS12|mac verify/i.test(`${message} ${code}`)
  return { problem: socketProblems[code] ?? (isTls ? tlsProblem : undefined), message }
}
