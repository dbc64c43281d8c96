import { readdir, readFile, readlink, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../errors.js"

/** A running server's pid file in its data directory (PostgreSQL: src/include/utils/pidfile.h). */
export interface PidFile {
  readonly pid: number
  /** Seconds since 1970. */
  readonly startedAt: number
  readonly port: number
  readonly status: "starting" | "stopping" | "ready" | "standby"
}

/** Reads the pid file; undefined where there is none, or it is not readable or not complete. */
export async function readPidFile(dataDir: string): Promise<PidFile | undefined> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")
  const [pid, , startedAt, port, , , , status] = text.split("\n").map((line) => line.trim())
  if (!pid || !startedAt || !port || !status) return undefined
  if (status !== "starting" && status !== "stopping" && status !== "ready" && status !== "standby") return undefined
  return { pid: Number(pid), startedAt: Number(startedAt), port: Number(port), status }
}

/**
 * Whether this process is the server of this data directory. After a crash or a restart of the machine another process
 * may have the id, so the command line decides. A zombie has none.
 */
export async function isServer(pid: number, dataDir: string): Promise<boolean> {
  const answer = signal(pid, 0)
  if (answer === "gone") return false
  if (process.platform !== "linux") return (await commandLine(pid)).includes(dataDir)
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined)
  // Linux can hide other users' processes (mount option hidepid). Then only the state file can be relied on.
  if (words === undefined) return answer === "forbidden"
  return words.split("\0").includes(dataDir)
}

async function commandLine(pid: number): Promise<string> {
  const { run } = await import("./run.js")
  const outcome = await run({ file: "ps", args: ["-ww", "-o", "args=", "-p", String(pid)] })
  return outcome.state === "ended" ? outcome.stdout : ""
}

/** Sends a signal; 0 only checks whether the process exists. */
export function signal(pid: number, name: NodeJS.Signals | 0): "sent" | "gone" | "forbidden" {
  try {
    process.kill(pid, name)
    return "sent"
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM" ? "forbidden" : "gone"
  }
}

/** Fast shutdown, immediate shutdown (PostgreSQL: Shutting Down the Server), kill; and the seconds that each may take. */
const shutdowns = [
  ["SIGINT", 10],
  ["SIGQUIT", 5],
  ["SIGKILL", 5],
] as const

/** Stops the server of a data directory and waits until it has ended. Errors: L1509 it is another user's. */
export async function stop(dataDir: string): Promise<"stopped" | "not running"> {
  const file = await readPidFile(dataDir)
  const isRunning = file !== undefined && (await isServer(file.pid, dataDir))
  if (isRunning) await shutDown(file.pid, dataDir)
  await removeLeftovers(dataDir)
  return isRunning ? "stopped" : "not running"
}

async function shutDown(pid: number, dataDir: string): Promise<void> {
  for (const [name, seconds] of shutdowns) {
    if (signal(pid, name) === "forbidden") {
      throw new LockstepError("L1509", `the test database's server (pid ${pid}) belongs to another user`, {
        state: "it is still running.",
        next: "stop it as the user who started it",
      })
    }
    const deadline = Date.now() + seconds * 1000
    while (Date.now() < deadline) {
      if (!(await isServer(pid, dataDir))) return
      await pause(5)
    }
  }
}

/**
 * Removes what prevents a start after a server was killed: its child processes, which end only when they next check
 * for their parent, and its pid file, if another process has that id now. PostgreSQL does not start while either exists.
 */
export async function removeLeftovers(dataDir: string): Promise<void> {
  const deadline = Date.now() + 5000
  let orphans = await processesIn(dataDir)
  while (orphans !== undefined && orphans.length > 0 && Date.now() < deadline) {
    for (const pid of orphans) signal(pid, "SIGKILL")
    await pause(5)
    orphans = await processesIn(dataDir)
  }
  const file = await readPidFile(dataDir)
  const isUsedAgain = file !== undefined && signal(file.pid, 0) !== "gone"
  // Without /proc the orphans are not known, and PostgreSQL needs the file to find them.
  if (orphans?.length === 0 || isUsedAgain) await rm(join(dataDir, "postmaster.pid"), { force: true })
}

/** The processes whose working directory is the data directory, as it is of every server process; undefined without /proc. */
async function processesIn(dataDir: string): Promise<number[] | undefined> {
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))
  if (pids.length === 0) return undefined
  const folders = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")))
  return pids.filter((_, index) => folders[index] === dataDir || folders[index] === `${dataDir} (deleted)`).map(Number)
}
