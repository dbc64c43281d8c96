import pg from "pg"
import { type ErrorCode, LockstepError } from "../errors.js"
import type { DatabaseUrl } from "./url.js"

interface Advice {
  readonly code: ErrorCode
  readonly says: string
  readonly next: string
}

/** The SQLSTATEs and socket errors of a connection that could not be opened, in plain words. */
const advice: Readonly<Record<string, Advice>> = {
  ECONNREFUSED: {
    code: "L1210",
    says: "nothing listens there",
    next: "start the server (locally: `lockstep test-db up`), or correct the host and port",
  },
  ENOENT: { code: "L1210", says: "there is no such socket", next: "start the server, or correct the socket's folder" },
  ENOTFOUND: { code: "L1211", says: "the host name is not known", next: "correct the host in the URL" },
  EAI_AGAIN: {
    code: "L1211",
    says: "the host name cannot be looked up now",
    next: "try again, or correct the host in the URL",
  },
  ETIMEDOUT: {
    code: "L1212",
    says: "no answer in time",
    next: "check the network path and firewall, or raise connect_timeout in the URL",
  },
  EHOSTUNREACH: { code: "L1212", says: "there is no route to the host", next: "check the network path and firewall" },
  ENETUNREACH: { code: "L1212", says: "the network is unreachable", next: "check the network path" },
  ECONNRESET: {
    code: "L1212",
    says: "the connection was closed while it was opened",
    next: "look into the server's log",
  },
  "28P01": {
    code: "L1213",
    says: "the password is wrong",
    next: "correct the password of the URL, PGPASSWORD or .pgpass",
  },
  "28000": {
    code: "L1214",
    says: "the server refuses this role or host",
    next: "correct the role, or the server's pg_hba.conf",
  },
  "3D000": { code: "L1215", says: "the database does not exist", next: "`lockstep deploy` creates it" },
  "53300": { code: "L1216", says: "the server has no connection left", next: "close some, or raise max_connections" },
  "57P03": {
    code: "L1217",
    says: "the server is starting up, shutting down or recovering",
    next: "try again in a moment",
  },
  "57P01": { code: "L1217", says: "the server is shutting down", next: "try again in a moment" },
  TLS: {
    code: "L1218",
    says: "the TLS connection cannot be made",
    next: "correct sslmode, sslrootcert or sslaccept in the URL",
  },
}

const waitingMends = new Set<ErrorCode>(["L1210", "L1211", "L1212", "L1216", "L1217"])

/** Whether the server may answer later by itself: starting up, refused, DNS not there yet, no connection left. */
export function mayComeUp(error: unknown): boolean {
  return error instanceof LockstepError && waitingMends.has(error.code)
}

/** What keeps a connection from being opened: where, why in plain words, what to do. Errors: L1210 to L1219. */
export function connectionError(cause: unknown, url: DatabaseUrl): LockstepError {
  if (cause instanceof LockstepError) return cause
  const { key, message } = reason(cause)
  const known = advice[key] ?? { code: "L1219", says: message, next: "look into the server's log" }
  return new LockstepError(known.code, `cannot connect to ${url.display}: ${known.says}`, {
    sqlstate: /^[0-9A-Z]{5}$/.test(key) && advice[key] === undefined ? key : sqlstate(key),
    hint: known.says === message ? undefined : message,
    state: "nothing was touched.",
    next: key === "28000" && url.tls.mode === "disable" ? `${known.next}; ${mayRequireTls}` : known.next,
    cause,
  })
}

const mayRequireTls = "where that requires TLS, remove sslmode=disable from the URL"

const sqlstate = (key: string): string | undefined => (/^\d/.test(key) ? key : undefined)

/** The server's errors are told apart by their code alone, because their text may be in any language. */
function reason(cause: unknown): { key: string; message: string } {
  if (cause instanceof AggregateError && cause.errors.length > 0) return reason(cause.errors[0])
  if (!(cause instanceof Error)) return { key: "", message: String(cause) }
  if (cause instanceof pg.DatabaseError) return { key: cause.code ?? "", message: cause.message }
  const code = "code" in cause && typeof cause.code === "string" ? cause.code : ""
  // The driver refuses an absent or empty password before the server can.
  if (cause.message.startsWith("SASL: ") && /password/.test(cause.message))
    return { key: "28P01", message: cause.message }
  if (/timeout expired/i.test(cause.message)) return { key: "ETIMEDOUT", message: cause.message }
  if (code === "EPIPE" || /Connection terminated/i.test(cause.message))
    return { key: "ECONNRESET", message: cause.message }
  if (advice[code]) return { key: code, message: cause.message }
  const tls = /SSL|certificate|TLS|CERT_|ERR_TLS|PKCS12|mac verify/i.test(`${cause.message} ${code}`)
  return { key: tls ? "TLS" : code, message: cause.message }
}
