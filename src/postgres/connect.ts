import { Socket } from "node:net"
import pg from "pg"
import { connectionError } from "./connection-error.js"
import { keepUtf8 } from "./encoding.js"
import { BoundedConnection } from "./incoming.js"
import type { DatabaseUrl } from "./url.js"

export type Client = pg.Client

const broken = new WeakSet<Client>()

/** Whether the connection was lost: what the driver then throws is no answer of the server's. */
export const isBroken = (client: Client): boolean => broken.has(client)

/** A server that vanished without a word is noticed after these milliseconds and ten unanswered probes. */
const keepAliveAfterMs = 10_000

export interface ConnectOptions {
  /** Shown in pg_stat_activity; the URL's own application_name wins. */
  readonly applicationName?: string | undefined
}

/**
 * Opens one connection. Every value comes back as the text that PostgreSQL sent, booleans as `t` and `f`.
 * Errors: L1210 to L1218, see connection-error.ts.
 */
export async function connect(url: DatabaseUrl, options: ConnectOptions = {}): Promise<Client> {
  const [first, second] = attempts(url)
  try {
    return await open(url, options, first)
  } catch (error) {
    if (second === undefined || !refusesEncryption(error, first)) throw connectionError(error, url)
    // Where the second way does not exist, the refusal of the first is what there is to tell.
    const told = (again: unknown) => (second === "tls" && refusesEncryption(again, second) ? error : again)
    return await open(url, options, second).catch((again) => Promise.reject(connectionError(told(again), url)))
  }
}

type Security = "tls" | "plain"

/** `prefer` is TLS first; on this very machine it would only cost a second connection, so there it is plain first. */
function attempts({ tls, host }: DatabaseUrl): readonly [Security, Security?] {
  if (tls.mode === "disable" || host.startsWith("/")) return ["plain"]
  if (tls.mode === "require") return ["tls"]
  return isLoopback(host) ? ["plain", "tls"] : ["tls", "plain"]
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host)

function refusesEncryption(error: unknown, tried: Security): boolean {
  if (!(error instanceof Error)) return false
  return tried === "tls" ? error.message.includes("does not support SSL") : /no encryption|SSL off/i.test(error.message)
}

async function open(url: DatabaseUrl, options: ConnectOptions, security: Security): Promise<Client> {
  const socket = new Socket()
  const given = settings(url, options, security)
  const client = new pg.Client({
    ...given,
    // Given the socket, so that a failed attempt can hang up at once.
    connection: new BoundedConnection({ ...given, stream: () => socket }),
    types: { getTypeParser: () => (value: string) => value },
  })
  // An idle connection that breaks is reported by the next query; unheard, the event would end the process.
  client.on("error", () => broken.add(client))
  client.on("end", () => broken.add(client))
  try {
    await client.connect()
    keepUtf8(client)
    return client
  } catch (error) {
    // Not end(), which waits for the other side to hang up: a proxy between may take a minute for that.
    socket.destroy()
    throw error
  }
}

function settings(url: DatabaseUrl, options: ConnectOptions, security: Security): pg.ClientConfig {
  return {
    host: url.host,
    port: url.port,
    database: url.database,
    user: url.user,
    password: url.password ?? (() => passwordFromEnvironment(url)),
    ssl: security === "tls" ? { ...url.tls.options } : false,
    connectionTimeoutMillis: url.connectTimeoutMs,
    application_name: url.applicationName ?? options.applicationName ?? "lockstep",
    ...(url.options ? { options: url.options } : {}),
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveAfterMs,
  }
}

/**
 * The driver's settings with which a connection was just opened, for Prisma's driver adapter: given the URL, it would
 * read the TLS parameters in its own way, and not try a second one. Errors: as for connect.
 */
export async function settingsThatConnect(url: DatabaseUrl): Promise<pg.ClientConfig> {
  const client = await connect(url)
  await client.end()
  return settings(url, {}, client.ssl ? "tls" : "plain")
}

/** As libpq: PGPASSWORD, then the password file. An empty answer lets the server's trust or peer method decide. */
async function passwordFromEnvironment(url: DatabaseUrl): Promise<string> {
  if (process.env.PGPASSWORD) return process.env.PGPASSWORD
  const { default: pgpass } = await import("pgpass")
  return await new Promise((resolve) => pgpass(url, (password) => resolve(password ?? "")))
}
