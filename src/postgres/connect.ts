import pg from "pg"
import { connectionError } from "./connection-error.js"
import type { DatabaseUrl } from "./url.js"

export type Client = pg.Client

export interface ConnectOptions {
  /** Shown in pg_stat_activity; the URL's own application_name wins. */
  readonly applicationName?: string | undefined
}

/**
 * Opens one connection. Every value comes back as the text that PostgreSQL sent, booleans as `t` and `f`.
 * Errors: L1210 to L1218, see connection-error.ts.
 */
export async function connect(url: DatabaseUrl, options: ConnectOptions = {}): Promise<Client> {
  try {
    return await open(url, options, url.tls.mode !== "disable")
  } catch (error) {
    if (url.tls.mode === "prefer" && error instanceof Error && error.message.includes("does not support SSL")) {
      return await open(url, options, false).catch((plain) => Promise.reject(connectionError(plain, url)))
    }
    throw connectionError(error, url)
  }
}

async function open(url: DatabaseUrl, options: ConnectOptions, secure: boolean): Promise<Client> {
  const client = new pg.Client({
    host: url.host,
    port: url.port,
    database: url.database,
    user: url.user,
    password: url.password ?? (() => passwordFromEnvironment(url)),
    ssl: secure && !url.host.startsWith("/") ? { ...url.tls.options } : false,
    connectionTimeoutMillis: url.connectTimeoutMs,
    application_name: url.applicationName ?? options.applicationName ?? "lockstep",
    ...(url.options ? { options: url.options } : {}),
    keepAlive: true,
    types: { getTypeParser: () => (value: string) => value },
  })
  // An idle connection that breaks is reported by the next query; unheard, the event would end the process.
  client.on("error", () => undefined)
  try {
    await client.connect()
    return client
  } catch (error) {
    await client.end().catch(() => undefined)
    throw error
  }
}

/** As libpq: PGPASSWORD, then the password file. An empty answer lets the server's trust or peer method decide. */
async function passwordFromEnvironment(url: DatabaseUrl): Promise<string> {
  if (process.env.PGPASSWORD) return process.env.PGPASSWORD
  const { default: pgpass } = await import("pgpass")
  return await new Promise((resolve) => pgpass(url, (password) => resolve(password ?? "")))
}
