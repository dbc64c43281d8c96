import { randomBytes } from "node:crypto"
import { chmod, chown, lstat, mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import type { Binaries } from "./binaries.js"
import { dataFolder, type Place, privateMode, reachable, trusted } from "./folder.js"
import { clearRemains, isServer, readPidFile, signal } from "./postmaster.js"
import { type Account, type Outcome, run } from "./run.js"
import { readPassword, writePassword } from "./server.js"

/** The database that every new cluster holds. */
export const databaseName = "lockstep"

/** A project's cluster: its folder, and the password of its superuser, postgres. */
export interface Cluster {
  readonly folder: string
  readonly password: string
}

/**
 * This project's cluster, made where there is none yet, with the empty database `lockstep` in it.
 * It is in the project's state folder, or, where the server's account cannot use that, in a shared one. Data whose
 * password is not known, because an earlier version made them without one or the file was removed, get a new one.
 * Errors: L1504 it could not be initialised, L1507 no folder can be used, L1508 it is another PostgreSQL version's.
 */
export async function ensureCluster(place: Place, binaries: Binaries): Promise<Cluster> {
  const known = await readPassword(place)
  const password = known ?? randomBytes(24).toString("base64url")
  const made = await findCluster(place, binaries)
  if (made !== undefined && known === undefined) await givePassword(dataFolder(made), binaries, password)
  const folder = made ?? (await makeCluster(place, binaries, password))
  // Last, so that where this is cut short the next call finds data without a known password.
  if (known === undefined) await writePassword(place, password)
  return { folder, password }
}

async function findCluster(place: Place, binaries: Binaries): Promise<string | undefined> {
  for (const cluster of place.clusters) {
    const made = await readFile(join(dataFolder(cluster), "PG_VERSION"), "utf8").catch(() => undefined)
    if (made === undefined) continue
    if (made.trim() === binaries.version.split(".")[0]) return cluster
    throw new LockstepError(
      "L1508",
      `the test database was made by PostgreSQL ${made.trim()}, this is ${binaries.version}`,
      {
        state: "nothing was changed",
        next: "npx lockstep test-db down, then up again: its content is lost",
      },
    )
  }
  return undefined
}

async function makeCluster(place: Place, binaries: Binaries, password: string): Promise<string> {
  for (const cluster of place.clusters) {
    const draft = await prepareFolder(place, cluster, binaries.account)
    if (draft === undefined) continue
    await initialise(draft, binaries, password)
    await rename(draft, dataFolder(cluster))
    return cluster
  }
  throw new LockstepError("L1507", "no folder can be used for the test database's data", {
    hint: `Tried ${place.clusters.join(", ")}: the server needs one that belongs to it alone, on a file system with owners and permissions.`,
    next: "correct the permissions of one of them, or set LOCKSTEP_CACHE_DIR to a folder that has them",
  })
}

/** An empty folder that is the server's alone; undefined where this cluster's place does not allow one. */
async function prepareFolder(place: Place, cluster: string, account: Account | undefined): Promise<string | undefined> {
  const isShared = dirname(cluster) !== place.folder
  if (isShared && !(await trusted(dirname(cluster), account))) return undefined
  if (!(await reachable(dirname(cluster), account))) return undefined
  await mkdir(cluster, { recursive: true })
  if (!(await lstat(cluster)).isDirectory()) return undefined
  await chmod(cluster, privateMode())
  for (const name of await readdir(cluster)) {
    if (name.startsWith("data.")) await rm(join(cluster, name), { recursive: true, force: true })
  }
  const draft = `${dataFolder(cluster)}.${randomBytes(4).toString("hex")}`
  await mkdir(draft, { mode: 0o700 })
  await chmod(draft, 0o700)
  if (account !== undefined) await chown(draft, account.uid, account.gid).catch(() => {})
  const { uid, mode } = await lstat(draft)
  if (uid === (account?.uid ?? process.geteuid?.()) && (mode & 0o777) === 0o700) return draft
  await rm(draft, { recursive: true, force: true })
  return undefined
}

/**
 * Locale: the builtin provider's C.UTF-8, so that sorting and upper case are the same on every machine, whatever
 * locales it has. No sync: the data of a test database do not have to survive a power cut.
 */
async function initialise(data: string, binaries: Binaries, password: string): Promise<void> {
  const { initdb, account } = binaries
  const locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
  // Who may connect is in a file of ours: see writeSettings.
  const rest = [
    "--username=postgres",
    "--auth=reject",
    "--no-sync",
    "--no-instructions",
    "--text-search-config=english",
  ]
  refuse(await run(initdb, [`--pgdata=${data}`, ...locale, ...rest], account), initdb)
  await standAlone(data, binaries, `CREATE DATABASE ${databaseName} STRATEGY = FILE_COPY;\n\n${alterRole(password)}`)
}

const alterRole = (password: string): string => `ALTER ROLE postgres PASSWORD '${password}';\n\n`

async function givePassword(data: string, binaries: Binaries, password: string): Promise<void> {
  await stop(data)
  await standAlone(data, { ...binaries, account: await ownerOf(data) }, alterRole(password))
}

/** Whom root runs the server as: whose the data are, which may be the user's from before. */
export async function ownerOf(data: string): Promise<Account | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = await stat(data)
  return { name: "owner", uid, gid }
}

/** Stand-alone mode: without a client, and before anybody can connect. An error must not repeat a statement. */
async function standAlone(data: string, { postgres, account }: Binaries, statements: string): Promise<void> {
  const quiet = ["-c", "log_min_error_statement=panic", "-c", "log_statement=none"]
  const outcome = await run(postgres, ["--single", "-F", "-j", ...quiet, "-D", data, "postgres"], account, statements)
  refuse(outcome, postgres)
  if (outcome.state === "ended" && /^.*(ERROR|FATAL):/m.test(outcome.output)) fail(postgres, outcome.output)
}

function refuse(outcome: Outcome, program: string): void {
  if (outcome.state === "not started") fail(program, outcome.reason)
  else if (outcome.code !== 0) fail(program, outcome.output)
}

function fail(program: string, output: string): never {
  throw new LockstepError("L1504", `the test database could not be made: ${basename(program)} failed`, {
    hint: lastLines(output),
    state: "no server was started",
    next: "see what it says above (often: the disk is full, or the user has no entry in /etc/passwd), then up again",
  })
}

/** The end of a program's output, which is where the reason is. */
export function lastLines(output: string): string {
  return output.trimEnd().split("\n").slice(-12).join("\n")
}

/** A role without a password cannot connect: a connection as superuser can run programs as the server's account. */
const mayConnect = ["local", "host"].flatMap((from) =>
  ["all", "replication"].map((what) => `${from} ${what} all ${from === "host" ? "all " : ""}scram-sha-256\n`),
)

/**
 * The settings file, which is outside of the data directory so that the server's account cannot write to it, as is the
 * list of who may connect. It includes the one that initdb made. Losing power may lose the data (fsync is off); losing a process does not:
 * what was committed was handed to the operating system.
 */
export async function writeSettings(
  cluster: string,
  settings: Readonly<Record<string, string | number>>,
): Promise<string> {
  const all = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    hba_file: join(cluster, "pg_hba.conf"),
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
  const included = quoted(join(dataFolder(cluster), "postgresql.conf"))
  await chmod(cluster, privateMode())
  await writeReadable(file, `include ${included}\n${lines.join("\n")}\n`)
  await writeReadable(join(cluster, "pg_hba.conf"), mayConnect.join(""))
  return file
}

/** For the server's account, in a folder that others do not look into. */
async function writeReadable(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o644 })
  await chmod(path, 0o644)
}

/** Fast shutdown (PostgreSQL: Shutting Down the Server), then immediate, then the end; each gets these seconds. */
const shutdowns = [
  ["SIGINT", 10],
  ["SIGQUIT", 5],
  ["SIGKILL", 5],
] as const

/** Stops the server of a data directory and waits until it is gone. Error: L1509 it is another user's. */
export async function stop(data: string): Promise<"stopped" | "not running"> {
  const file = await readPidFile(data)
  const isRunning = file !== undefined && (await isServer(file.pid, data))
  if (isRunning) await end(file.pid, data)
  await clearRemains(data)
  return isRunning ? "stopped" : "not running"
}

async function end(pid: number, data: string): Promise<void> {
  for (const [name, seconds] of shutdowns) {
    if (signal(pid, name) === "forbidden") {
      throw new LockstepError("L1509", `the test database's server (process ${pid}) belongs to another user`, {
        state: "it is still running",
        next: "stop it as the user who started it",
      })
    }
    const giveUpAt = Date.now() + seconds * 1000
    while (Date.now() < giveUpAt) {
      if (!(await isServer(pid, data))) return
      await pause(5)
    }
  }
}

/**
 * Removes a cluster's folder. The data are removed by the account that owns them: root, following a link that
 * somebody put there at the right moment, could remove anything. Error: L1509 they are another user's.
 */
export async function removeCluster(cluster: string): Promise<void> {
  const data = dataFolder(cluster)
  const owner = await lstat(data).catch(() => undefined)
  const self = process.geteuid?.()
  if (owner !== undefined && self === 0 && owner.uid !== 0) {
    await run("rm", ["-rf", "--", data], { name: "owner", uid: owner.uid, gid: owner.gid })
  }
  await rm(cluster, { recursive: true, force: true }).catch(async (cause) => {
    throw new LockstepError("L1509", "the test database's data cannot be removed", {
      hint: `${cluster} belongs to user ${(await stat(cluster)).uid}`,
      next: "remove it as the user who made it",
      cause,
    })
  })
}
