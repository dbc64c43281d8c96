import { existsSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { libpqEnvironment } from "./environment.js"

/** PostgreSQL's own programs for backups. */
export type ProgramName = "pg_dump" | "pg_restore"

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

export const majorOf = (version: string): number => Number.parseInt(version, 10)

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
export interface ProgramCall {
  readonly url: DatabaseUrl
  readonly applicationName: string
  readonly args: readonly string[]
  readonly signal: AbortSignal
}

/** How a call ended: what the program printed, and on failure its own reason. */
export type Ended =
  | { readonly state: "done"; readonly stdout: string }
  | { readonly state: "failed"; readonly reason: string }
  | { readonly state: "interrupted" }

/** Runs a program until it ends; on a signal it is asked to end, and the server ends its work. */
export async function call(program: Program, { url, applicationName, args, signal }: ProgramCall): Promise<Ended> {
  const result = await execa(program.file, [...args], {
    env: libpqEnvironment(url, applicationName),
    stdin: "ignore",
    cancelSignal: signal,
    gracefulCancel: false,
    reject: false,
    maxBuffer: 16 * 1024 * 1024,
  })
  if (signal.aborted) return { state: "interrupted" }
  if (!result.failed) return { state: "done", stdout: result.stdout ?? "" }
  return { state: "failed", reason: result.stderr?.trim() || result.shortMessage || "it gave no reason" }
}
