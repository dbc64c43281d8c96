import { existsSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"

/** PostgreSQL's own programs for backups. */
type ProgramName = "pg_dump" | "pg_restore" | "psql"

/** A program of a version, such as 18.4. */
export interface Program {
  readonly name: ProgramName
  readonly file: string
  readonly version: string
}

/** A server's version, such as 18.4. */
export async function serverVersion(client: Client): Promise<string> {
  const { rows } = await client.query<{ server_version: string }>("SHOW server_version")
  return /^[\d.]+/.exec(rows[0]?.server_version ?? "")?.[0] ?? "0"
}

const majorOf = (version: string): number => Number.parseInt(version, 10)

/**
 * The program on PATH, or where that is older than the server, the one that Debian keeps beside it for the server's
 * version. pg_dump refuses a newer server; pg_restore reads no archive of a newer pg_dump.
 * Errors: L2040 there is none, L2041 it is older than the server.
 */
export async function findProgram(name: ProgramName, server: string): Promise<Program> {
  const major = majorOf(server)
  const ofServer = join("/usr/lib/postgresql", String(major), "bin", name)
  const found: Program[] = []
  for (const file of [name, ...(existsSync(ofServer) ? [ofServer] : [])]) {
    const version = await versionOf(file)
    if (version !== undefined) found.push({ name, file, version })
  }
  const fits = found.find(({ version }) => majorOf(version) >= major)
  if (fits !== undefined) return fits
  const [older] = found
  const next = `install PostgreSQL ${major}'s client programs: apt-get install postgresql-client-${major}, apk add postgresql${major}-client, or brew install libpq`
  if (older === undefined)
    throw new LockstepError("L2040", `${name} is not installed`, { state: "nothing was touched.", next })
  throw new LockstepError("L2041", `${name} ${older.version} is older than the server, PostgreSQL ${server}`, {
    hint: `${name} works with servers up to its own major version.`,
    state: "nothing was touched.",
    next,
  })
}

async function versionOf(file: string): Promise<string | undefined> {
  const { stdout, failed } = await execa(file, ["--version"], { reject: false, stdin: "ignore" })
  return failed ? undefined : /\(PostgreSQL\) ([\d.]+)/.exec(stdout ?? "")?.[1]
}

/** A program's call on a database. */
interface ProgramCall {
  readonly url: DatabaseUrl
  readonly applicationName: string
  readonly args: readonly string[]
  readonly signal: AbortSignal
}

/** How a call ended: what the program printed, and on failure its own reason. */
type Ended =
  | { readonly state: "done"; readonly stdout: string }
  | { readonly state: "failed"; readonly reason: string; readonly sqlstate?: string | undefined }
  | { readonly state: "interrupted" }

/** Runs a program until it ends; on a signal it is asked to end, and the server ends its work. */
export async function call(program: Program, { url, applicationName, args, signal }: ProgramCall): Promise<Ended> {
  const result = await execa(program.file, [...args], {
    ...{ env: libpqEnvironment(url, applicationName), stdin: "ignore" },
    ...{ cancelSignal: signal, gracefulCancel: false, reject: false, maxBuffer: 16 * 1024 * 1024 },
  })
  if (signal.aborted) return { state: "interrupted" }
  if (!result.failed) return { state: "done", stdout: result.stdout ?? "" }
  return { state: "failed", reason: reasonOf(result) }
}

interface Output {
  readonly stderr?: string | undefined
  readonly shortMessage?: string | undefined
}

const reasonOf = ({ stderr, shortMessage }: Output): string => stderr?.trim() || shortMessage || "it gave no reason"

/**
 * Has psql run what another program writes, behind some SQL. Where either of them fails, psql's session ends with what it
 * has begun, so that a transaction which that SQL begins and the last line of the other's commits is one.
 */
export async function callPiped(
  [writer, psql]: readonly [Program, Program],
  first: string,
  { url, applicationName, args, signal }: ProgramCall,
): Promise<Ended> {
  const env = libpqEnvironment(url, applicationName)
  const how = { cancelSignal: signal, gracefulCancel: false, reject: false, env } as const
  const writing = execa(writer.file, [...args], { ...how, stdin: "ignore", buffer: { stdout: false, stderr: true } })
  const script = async function* () {
    yield new TextEncoder().encode(first)
    yield* writing.iterable({ binary: true })
  }
  const options = [
    "--no-psqlrc",
    "--quiet",
    "--no-password",
    "--set=ON_ERROR_STOP=1",
    "--set=VERBOSITY=verbose",
    "--file=-",
  ]
  const running = execa(psql.file, options, { ...how, stdin: script(), stdout: "ignore" })
  const ran = await running
  // Where psql has ended early, nobody reads what is written.
  if (ran.failed) writing.kill()
  const written = await writing
  if (signal.aborted) return { state: "interrupted" }
  if (ran.failed && ran.stderr?.trim()) return { state: "failed", ...serverError(reasonOf(ran)) }
  if (written.failed) return { state: "failed", reason: reasonOf(written) }
  return ran.failed ? { state: "failed", reason: reasonOf(ran) } : { state: "done", stdout: "" }
}

/** The SQLSTATE, which is the same in every language, stands between the severity and the message; the place in the server's sources goes. */
function serverError(verbose: string): { readonly reason: string; readonly sqlstate: string | undefined } {
  const [, sqlstate] = codeOf.exec(verbose) ?? []
  return { reason: verbose.replace(codeOf, "$2").replace(/\nLOCATION: .*/g, ""), sqlstate }
}

const codeOf = /(?<=^psql:[^\n]*: \S+: +)([0-9A-Z]{5}): (.)/m

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
function libpqEnvironment(url: DatabaseUrl, applicationName: string): Record<string, string | undefined> {
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
