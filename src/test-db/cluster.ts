import { randomBytes } from "node:crypto"
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { LockstepError } from "../errors.js"
import type { Binaries } from "./binaries.js"
import { majorOf } from "./majors.js"
import {
  dataDirectory,
  isReachable,
  isSafeFolder,
  type Paths,
  privateMode,
  readPassword,
  writePassword,
} from "./paths.js"
import { stop } from "./postmaster.js"
import { type Account, lastLines, type Outcome, ownerOf, run } from "./run.js"

/** A project's cluster: its folder, and the password of its superuser, postgres. */
interface Cluster {
  readonly folder: string
  readonly password: string
}

/**
 * The project's cluster. Where there is none it is made, with the empty database `lockstep`: in the project's state
 * folder, or in a shared one if the server's account cannot use that. Data without a known password (an earlier version
 * made none, or its file was removed) get a new one.
 * Errors: L1504 initdb failed, L1507 no folder can be used, L1508 it was made by another version of PostgreSQL.
 */
export async function ensureCluster(paths: Paths, binaries: Binaries): Promise<Cluster> {
  const known = await readPassword(paths)
  const password = known ?? randomBytes(24).toString("base64url")
  const existing = await findCluster(paths, binaries)
  if (existing !== undefined && known === undefined) await setPassword(dataDirectory(existing), binaries, password)
  const folder = existing ?? (await makeCluster(paths, binaries, password))
  // Last: if this is interrupted, the next call finds data without a known password.
  if (known === undefined) await writePassword(paths, password)
  return { folder, password }
}

async function findCluster(paths: Paths, binaries: Binaries): Promise<string | undefined> {
  for (const cluster of paths.clusters) {
    const text = await readFile(join(dataDirectory(cluster), "PG_VERSION"), "utf8").catch(() => undefined)
    if (text === undefined) continue
    const version = text.trim()
    if (version === majorOf(binaries.version)) return cluster
    throw new LockstepError(
      "L1508",
      `the test database was made by PostgreSQL ${version}, this is ${binaries.version}`,
      {
        state: "nothing was touched.",
        next: "remove it and its data with `lockstep test-db down`, then start a new one",
      },
    )
  }
  return undefined
}

async function makeCluster(paths: Paths, binaries: Binaries, password: string): Promise<string> {
  for (const cluster of paths.clusters) {
    const draft = await prepareFolder(paths, cluster, binaries.account)
    if (draft === undefined) continue
    await initialise(draft, binaries, password)
    await rename(draft, dataDirectory(cluster))
    return cluster
  }
  throw new LockstepError("L1507", "no folder can be used for the test database's data", {
    hint: `Tried ${paths.clusters.join(", ")}. The server's account must own its folder, on a file system with owners and permissions.`,
    next: "correct the permissions of one of them, or set LOCKSTEP_CACHE_DIR to a folder that has them",
  })
}

/** A new folder that only the server's account can use; undefined where it cannot be made in this cluster's folder. */
async function prepareFolder(paths: Paths, cluster: string, account: Account | undefined): Promise<string | undefined> {
  const isShared = dirname(cluster) !== paths.stateFolder
  if (isShared && !(await isSafeFolder(dirname(cluster), account))) return undefined
  if (!(await isReachable(dirname(cluster), account))) return undefined
  await mkdir(cluster, { recursive: true })
  if (!(await lstat(cluster)).isDirectory()) return undefined
  await chmod(cluster, privateMode())
  // Drafts of earlier calls that were interrupted.
  for (const name of await readdir(cluster)) {
    if (name.startsWith("data.")) await rm(join(cluster, name), { recursive: true, force: true })
  }
  const draft = `${dataDirectory(cluster)}.${randomBytes(4).toString("hex")}`
  await mkdir(draft, { mode: 0o700 })
  await chmod(draft, 0o700)
  if (account !== undefined) await chown(draft, account.uid, account.gid).catch(() => {})
  // Some file systems ignore owners and modes.
  const { uid, mode } = await lstat(draft)
  if (uid === (account?.uid ?? process.geteuid?.()) && (mode & 0o777) === 0o700) return draft
  await rm(draft, { recursive: true, force: true })
  return undefined
}

/**
 * The locale is C.UTF-8 of the builtin provider, before PostgreSQL 17 C: sorting and upper case are the same on every
 * machine, whatever locales it has. Nothing is synced to disk: a test database's data may be lost in a power failure.
 */
async function initialise(data: string, binaries: Binaries, password: string): Promise<void> {
  const { initdb: file, account } = binaries
  const major = Number(majorOf(binaries.version))
  const locale = ["--encoding=UTF8", "--locale=C"]
  if (major >= 17) locale.push("--locale-provider=builtin", "--builtin-locale=C.UTF-8")
  const rest = [
    "--username=postgres",
    // writeSettings() writes who may connect.
    "--auth=reject",
    "--no-sync",
    ...(major >= 14 ? ["--no-instructions"] : []),
    "--text-search-config=english",
  ]
  requireSuccess(await run({ file, args: [`--pgdata=${data}`, ...locale, ...rest], account }), file)
  await runStatements(
    data,
    binaries,
    `CREATE DATABASE lockstep${major >= 15 ? " STRATEGY = FILE_COPY" : ""};\n\n${alterRole(password)}`,
  )
}

const alterRole = (password: string): string => `ALTER ROLE postgres PASSWORD '${password}';\n\n`

async function setPassword(data: string, binaries: Binaries, password: string): Promise<void> {
  await stop(data)
  await runStatements(data, { ...binaries, account: await ownerOf(data) }, alterRole(password))
}

/**
 * Runs statements in PostgreSQL's single-user mode, before anybody can connect. They contain the password: no error
 * repeats them.
 */
async function runStatements(data: string, { postgres: file, account }: Binaries, input: string): Promise<void> {
  const withoutStatements = ["-c", "log_min_error_statement=panic", "-c", "log_statement=none"]
  // Before PostgreSQL 14 md5 is the default.
  const encryption = ["-c", "password_encryption=scram-sha-256"]
  const args = ["--single", "-F", "-j", ...withoutStatements, ...encryption, "-D", data, "postgres"]
  const outcome = await run({ file, args, account, input })
  requireSuccess(outcome, file)
  if (outcome.state === "ended" && /^.*(ERROR|FATAL):/m.test(outcome.output)) throw notMade(file, outcome.output)
}

function requireSuccess(outcome: Outcome, program: string): void {
  if (outcome.state === "not started") throw notMade(program, outcome.reason)
  if (outcome.code !== 0) throw notMade(program, outcome.output)
}

const notMade = (program: string, output: string): LockstepError =>
  new LockstepError("L1504", `the test database cannot be created: ${basename(program)} failed`, {
    hint: lastLines(output),
    state: "no server was started.",
    next: "fix what it reports (often: the disk is full, or the user has no entry in /etc/passwd), then run this again",
  })

/** Every role needs its password: whoever connects as a superuser can run programs as the server's account. */
const hostBasedAuthentication = ["local", "host"]
  .flatMap((type) =>
    ["all", "replication"].map((database) => `${type} ${database} all ${type === "host" ? "all " : ""}scram-sha-256\n`),
  )
  .join("")

/**
 * Writes the server's settings, which include initdb's, and the list of who may connect. Both are outside of the data
 * directory, so that the server's account cannot change them. fsync is off: a power failure may lose the data, a killed
 * process does not, because the operating system has what was committed.
 */
export async function writeSettings(
  cluster: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<string> {
  const hba = join(cluster, "pg_hba.conf")
  const all = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    hba_file: hba,
    password_encryption: "scram-sha-256",
    fsync: "off",
    full_page_writes: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    cluster_name: "lockstep test-db",
    ...settings,
  }
  const quoted = (value: string | number) => `'${String(value).replaceAll("'", "''")}'`
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${quoted(value)}`)
  const file = join(cluster, "settings.conf")
  const included = quoted(join(dataDirectory(cluster), "postgresql.conf"))
  await chmod(cluster, privateMode())
  await writeReadable(file, `include ${included}\n${lines.join("\n")}\n`)
  await writeReadable(hba, hostBasedAuthentication)
  return file
}

/** The server's account must read it; the folder keeps other accounts out. */
async function writeReadable(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o644 })
  await chmod(path, 0o644)
}

/**
 * Removes a cluster's folder. The account that owns the data removes them: root could be made to remove anything else
 * by a symbolic link that replaces a folder at the right moment. Errors: L1509 they belong to another user.
 */
export async function removeCluster(cluster: string): Promise<void> {
  const data = dataDirectory(cluster)
  const owner = await lstat(data).catch(() => undefined)
  if (owner !== undefined && owner.uid !== 0 && process.geteuid?.() === 0) {
    await run({ file: "rm", args: ["-rf", "--", data], account: { name: "owner", uid: owner.uid, gid: owner.gid } })
  }
  await rm(cluster, { recursive: true, force: true }).catch(async (cause) => {
    throw new LockstepError("L1509", "the test database's data cannot be removed", {
      hint: `${cluster} belongs to the user with id ${(await stat(cluster)).uid}.`,
      next: "remove it as the user who made it",
      cause,
    })
  })
}
