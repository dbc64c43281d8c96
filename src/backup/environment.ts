import { LockstepError } from "../errors.js"
import type { DatabaseUrl } from "../postgres/url.js"

/** What libpq would read from the caller's environment, and the URL decides. */
const decided = [
  ...["PGHOST", "PGHOSTADDR", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICE", "PGOPTIONS", "PGAPPNAME"],
  ...["PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGTARGETSESSIONATTRS", "PGCONNECT_TIMEOUT"],
] as const

/**
 * The environment with which PostgreSQL's own programs connect to where the URL leads, so that no password is among their
 * arguments, which every account of the machine can read. Without a password in the URL, PGPASSWORD or the password file
 * decides. Errors: L2048 certificates in a form that libpq does not read.
 * Source: PostgreSQL's documentation, "Environment Variables" of libpq.
 */
export function libpqEnvironment(url: DatabaseUrl, applicationName: string): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(decided.map((name) => [name, undefined])),
    PGHOST: url.host,
    PGPORT: String(url.port),
    PGUSER: url.user,
    PGDATABASE: url.database,
    PGAPPNAME: url.applicationName ?? applicationName,
    PGCONNECT_TIMEOUT: String(Math.ceil(url.connectTimeoutMs / 1000)),
    ...(url.password === undefined ? {} : { PGPASSWORD: url.password }),
    ...(url.options === undefined ? {} : { PGOPTIONS: url.options }),
    ...tlsEnvironment(url),
    LC_ALL: "C",
  }
}

function tlsEnvironment({ text, tls }: DatabaseUrl): Record<string, string> {
  const query = new URL(text).searchParams
  const unreadable = ["sslidentity", "sslpassword"].find((name) => query.has(name))
  if (unreadable !== undefined) {
    throw new LockstepError("L2048", `pg_dump and pg_restore cannot use ${unreadable} of the database URL`, {
      state: "nothing was touched.",
      next: "give the client's certificate as sslcert and sslkey, in files without a password",
    })
  }
  const key = query.get("sslkey")
  const certificate = query.get("sslcert")
  const isStrict = query.get("sslaccept") === "strict" || query.get("sslmode") === "verify-full"
  const root = query.get("sslrootcert") ?? (key ? null : certificate) ?? (isStrict ? "system" : null)
  return {
    PGSSLMODE: sslMode(tls, isStrict || root === "system"),
    ...(root ? { PGSSLROOTCERT: root } : {}),
    ...(key && certificate ? { PGSSLKEY: key, PGSSLCERT: certificate } : {}),
  }
}

/** libpq's name for what the URL's parameters ask of the connection. */
function sslMode({ mode, options }: DatabaseUrl["tls"], isStrict: boolean): string {
  if (mode === "disable") return "disable"
  if (isStrict) return "verify-full"
  return options.rejectUnauthorized ? "verify-ca" : mode
}
