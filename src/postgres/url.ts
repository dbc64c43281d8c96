import { LockstepError } from "../errors.js"
import { inLine } from "../printable.js"
import { parseTls, type Tls } from "./tls.js"

/** A parsed connection URL. `text` and `password` are secrets: print `display` only. */
export interface DatabaseUrl {
  /** The URL, password included. */
  readonly text: string
  /** The URL to print: password replaced, parameters left out. */
  readonly display: string
  /** Host name, address, or the folder of a unix socket. */
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Absent when the URL has none: PGPASSWORD or .pgpass then decides. */
  readonly password: string | undefined
  /** `?schema=`: where the tables and the history live. */
  readonly schema: string
  readonly tls: Tls
  /** Milliseconds; `connect_timeout` in the URL is in seconds (0: no limit), and Prisma's default is 5 s. */
  readonly connectTimeoutMs: number
  readonly pgbouncer: boolean
  readonly applicationName: string | undefined
  /** libpq's `options`, handed to the server at connection time. */
  readonly options: string | undefined
  /** Parameters that nobody here knows, as they may be printed: to be named to the user, not dropped silently. */
  readonly unknown: readonly string[]
}

const understood = ["schema", "host", "port", "connect_timeout", "pgbouncer", "application_name", "options"]
const tlsParameters = ["sslmode", "sslcert", "sslkey", "sslrootcert", "sslidentity", "sslpassword", "sslaccept"]
/** They tune Prisma Client's pool or libpq; a single migration connection has no use for them. */
const harmless = [
  "connection_limit",
  "pool_timeout",
  "socket_timeout",
  "statement_cache_size",
  "single_use_connections",
  "max_connection_lifetime",
  "max_idle_connection_lifetime",
  "channel_binding",
  "target_session_attrs",
  "uselibpqcompat",
]
const known = new Set([...understood, ...tlsParameters, ...harmless])

/**
 * Parses a PostgreSQL connection URL as Prisma's users write it.
 * Errors: L1201 not a URL, L1202 a URL of another database, L1203 a parameter's value is wrong.
 * Source: Prisma's reference, "PostgreSQL connection URL"; PostgreSQL's documentation, 32.1.1 "Connection Strings".
 */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const url = parse(text.trim())
  const query = url.searchParams
  const host =
    query.get("host") || decode(url.hostname.replace(/^\[(.*)\]$/, "$1")) || process.env.PGHOST || "localhost"
  if (host.includes(",")) throw oneHostOnly()
  const user = decode(url.username) || process.env.PGUSER || process.env.USER || "postgres"
  const port = portOf(query.get("port") || url.port || process.env.PGPORT || "5432")
  const database = decode(url.pathname.slice(1)) || user
  return Object.freeze({
    text: url.href,
    display: inLine(display({ user, host, port, database })),
    host,
    port,
    database,
    user,
    password: url.password === "" ? undefined : decode(url.password),
    schema: query.get("schema") || "public",
    tls: parseTls(query, host),
    connectTimeoutMs: seconds(query, "connect_timeout", 5) * 1000,
    pgbouncer: query.get("pgbouncer") === "true",
    applicationName: query.get("application_name") || undefined,
    options: query.get("options") || undefined,
    unknown: [...new Set([...query.keys()].filter((key) => !known.has(key)).map(shown))],
  })
}

/** A name as it may be printed: what is not plainly the name of a parameter may be a part of a password. */
const shown = (name: string): string => (/^[a-z][a-z_]{0,39}$/i.test(name) ? name : "(a name that is not shown)")

/** The same server and settings, another database. */
export function withDatabase(url: DatabaseUrl, database: string): DatabaseUrl {
  const changed = new URL(url.text)
  changed.pathname = `/${encodeURIComponent(database).replaceAll("'", "%27")}`
  return parseDatabaseUrl(changed.href)
}

/**
 * The same database, its server reached at another address, "host:port": it is for a container that has the server under
 * a name of its own. A unix socket in the URL is replaced as well. Errors: L1203 the address is not "host:port".
 */
export function atAddress(url: DatabaseUrl, address: string | undefined): DatabaseUrl {
  if (!address) return url
  const [, host, port] = /^([^@/?#\s]+):(\d+)$/.exec(address) ?? []
  if (host === undefined || port === undefined || !URL.canParse(`postgresql://${address}`))
    throw new LockstepError("L1203", "LOCKSTEP_DATABASE_HOST is not host:port")
  const changed = new URL(url.text)
  changed.hostname = host
  changed.port = port
  for (const name of ["host", "port"]) changed.searchParams.delete(name)
  return parseDatabaseUrl(changed.href)
}

const others =
  /^(mysql|mariadb|sqlite|sqlserver|mongodb(?:\+srv)?|cockroachdb|file|prisma(?:\+postgres)?|jdbc|redis|https?):/i

/**
 * A character in the wrong place makes another part of the URL out of a password, which would then be printed as a host,
 * a database or a parameter. In each part only what cannot end it may stand as it is; the rest is percent-encoded.
 */
const strict =
  /^postgres(?:ql)?:\/\/(?:[^/?#\s"\\]*@)?[^@/?#\s"'\\]*(?:\/[^@/?#\s"'\\]*)?(?:\?(?:[^@?#&=\s"'\\]+=[^@?#&\s"'\\]*(?:&|$))*)?$/i

function parse(text: string): URL {
  const other = others.exec(text)?.[1]?.toLowerCase()
  if (other) {
    throw new LockstepError("L1202", `the database URL is for "${other}", and Lockstep is for PostgreSQL`, {
      next: "set DATABASE_URL to a postgresql:// URL of the database itself",
    })
  }
  if (severalHosts.test(text)) throw oneHostOnly()
  const url = text.replace(noHost, "$1localhost")
  if (strict.test(text) && URL.canParse(url)) return new URL(url)
  // Nothing of it may be repeated: any part may be a part of the password.
  throw new LockstepError("L1201", "the database URL cannot be parsed", {
    hint: /^["']/.test(text)
      ? "It begins with a quotation mark: some tools (docker --env-file) take quotes as part of the value."
      : "In each part of it, write # ? / @ : % \\, quotation marks and spaces percent-encoded (# is %23).",
    next: "set DATABASE_URL to postgresql://USER:PASSWORD@HOST:5432/DATABASE",
  })
}

/** libpq's list of hosts. */
const severalHosts = /^postgres(?:ql)?:\/\/(?:[^/?#]*@|(?![^/?#]*@))[^@/?#]*,/i

const oneHostOnly = (): LockstepError =>
  new LockstepError("L1203", "the database URL names several hosts, and Lockstep connects to one", {
    hint: "A list of hosts, with target_session_attrs or without, is not supported.",
    next: "name the primary, or an address that leads to it: a virtual IP, a DNS name that follows it, a pooler in session mode",
  })

/** libpq's `postgresql://user@/db?host=/socket` has no host, which is no URL to others. */
const noHost = /^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?]|$)/i

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new LockstepError("L1201", "the database URL has a % that is not followed by two hexadecimal digits", {
      next: "write a % in a user name or password as %25",
    })
  }
}

function portOf(text: string): number {
  const port = Number(text)
  if (/^\d+$/.test(text) && port > 0 && port < 65_536) return port
  throw new LockstepError("L1203", "the database's port is not a number from 1 to 65535", {
    next: "correct the port in the database URL, or PGPORT",
  })
}

function seconds(query: URLSearchParams, name: string, fallback: number): number {
  const value = query.get(name)
  if (value === null) return fallback
  if (!/^\d+$/.test(value)) throw new LockstepError("L1203", `${name} in the database URL is not a number of seconds`)
  return Number(value)
}

function display({ user, host, port, database }: Pick<DatabaseUrl, "user" | "host" | "port" | "database">): string {
  if (host.startsWith("/")) return `postgresql://${user}@/${database}?host=${host}`
  const shown = host.includes(":") ? `[${host}]` : host
  return `postgresql://${user}@${shown}:${port}/${database}`
}
