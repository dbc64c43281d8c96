import { Socket } from "node:net"
import pg from "pg"
import { connectionError } from "./connection-error.js"
import { BoundedConnection, type ParameterStatus, type ReadyForQuery } from "./incoming.js"
import { sqlstateOf } from "./sqlstate.js"
import { type DatabaseUrl, withDatabase } from "./url.js"

export type Client = pg.Client

const broken = new WeakSet<Client>()

/** Whether the connection was lost: what the driver then throws does not come from the server. */
export const isBroken = (client: Client): boolean => broken.has(client)

/** A server that vanished is noticed after these milliseconds and ten unanswered probes. */
const keepAliveAfterMs = 10_000

interface ConnectOptions {
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
    if (second === undefined || !dependsOnEncryption(error)) throw connectionError(error, url)
    return await open(url, options, second).catch((again: unknown) => {
      // Where the other way is refused as well, the first refusal is the reason, unless it was only that the server has no TLS.
      const reason = error instanceof NoTls || !dependsOnEncryption(again) ? again : error
      throw connectionError(reason, url)
    })
  }
}

/**
 * Connects to a database of the server that always exists, to create or drop another from it: `postgres`, or where it
 * was dropped or the role may not connect to it, `template1`. Errors: L12xx, that of `postgres`.
 */
export async function connectToServer(url: DatabaseUrl, options: ConnectOptions = {}): Promise<Client> {
  return await connect(withDatabase(url, "postgres"), options).catch(async (error: unknown) => {
    return await connect(withDatabase(url, "template1"), options).catch(() => Promise.reject(error))
  })
}

type Security = "tls" | "plain"

/** `prefer` is TLS first; on this very machine it would only cost a second connection, so there it is plain first. */
function attempts({ tls, host }: DatabaseUrl): readonly [Security, Security?] {
  if (tls.mode === "disable" || host.startsWith("/")) return ["plain"]
  if (tls.mode === "require") return ["tls"]
  return isLoopback(host) ? ["plain", "tls"] : ["tls", "plain"]
}

const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host)

/** The server refused the request for TLS. */
class NoTls extends Error {
  override readonly name = "NoTls"
}

/** What a server without TLS answers to the request for it. Source: PostgreSQL's documentation, "SSL Session Encryption". */
const no = "N".charCodeAt(0)

/**
 * Whether the other kind of connection may be accepted: the server has no TLS, or its pg_hba.conf refuses this role and
 * host (28000), perhaps for connections of this kind only.
 */
const dependsOnEncryption = (error: unknown): boolean => error instanceof NoTls || sqlstateOf(error) === "28000"

async function open(url: DatabaseUrl, options: ConnectOptions, security: Security): Promise<Client> {
  const socket = new Socket()
  const given = settings(url, options, security)
  const client = new pg.Client({
    ...given,
    // Given the socket, so that a failed attempt can hang up at once.
    connection: new BoundedConnection({ ...given, stream: () => socket }),
    types: { getTypeParser: () => (value: string) => value },
  })
  // An idle connection that breaks is reported by the next query; without a listener the event would end the process.
  client.on("error", () => broken.add(client))
  client.on("end", () => broken.add(client))
  let answer: number | undefined
  socket.once("data", (bytes: Buffer) => {
    answer = bytes[0]
  })
  const keep = keepReadable(client)
  try {
    await client.connect()
    await keep()
    return client
  } catch (error) {
    // Not end(), which waits for the other side to hang up: a proxy between may take a minute for that.
    socket.destroy()
    throw security === "tls" && answer === no ? new NoTls("the server does not support TLS", { cause: error }) : error
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

/**
 * Restores the settings by which everything is encoded and parsed that is sent, before anything else is sent: SQL that
 * sets client_encoding would have the server read the UTF-8 text after it as another encoding, and store other characters
 * without an error; SQL that sets standard_conforming_strings would have strings end elsewhere than Lockstep's parser
 * sees. The server reports every change, whatever made it. Call this before the client is connected, and the result
 * once it is, because the driver has to see the end of a message first.
 * Source: PostgreSQL's documentation, "Asynchronous Operations" in the chapter on the protocol's message flow.
 */
function keepReadable(client: Client): () => Promise<void> {
  const { connection } = client
  const wanted = new Map([["client_encoding", "UTF8"]])
  const changed = new Set<string>()
  connection.on("parameterStatus", ({ parameterName: name, parameterValue: value }: ParameterStatus) => {
    // What the database or the role sets for strings is respected.
    if (name === "standard_conforming_strings" && !wanted.has(name)) wanted.set(name, value)
    if (value === wanted.get(name)) changed.delete(name)
    else if (wanted.has(name)) changed.add(name)
  })
  const restore = async () => {
    const names = [...changed]
    if (names.length === 0) return
    changed.clear()
    await client.query(names.map((name) => `SET ${name}='${wanted.get(name)}'`).join(";")).catch((error: unknown) => {
      for (const name of names) changed.add(name)
      throw error
    })
  }
  return async () => {
    connection.on("readyForQuery", ({ status }: ReadyForQuery) => {
      // In a failed transaction nothing can be set; its ROLLBACK comes first.
      if (status !== "E") restore().catch(() => undefined)
    })
    await restore()
  }
}
