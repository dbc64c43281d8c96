import { readdir, readFile, readlink, rm } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

/** What a running server writes into its data directory (PostgreSQL: src/include/utils/pidfile.h). */
export interface PidFile {
  readonly pid: number
  /** Seconds since 1970. */
  readonly startedAt: number
  readonly port: number
  readonly status: "starting" | "stopping" | "ready" | "standby"
}

/** The pid file of a data directory; undefined where there is none, or none that can be read or is complete. */
export async function readPidFile(dataDir: string): Promise<PidFile | undefined> {
  const text = await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")
  const [pid, , startedAt, port, , , , status] = text.split("\n").map((line) => line.trim())
  if (!pid || !startedAt || !port || !status) return undefined
  if (status !== "starting" && status !== "stopping" && status !== "ready" && status !== "standby") return undefined
  return { pid: Number(pid), startedAt: Number(startedAt), port: Number(port), status }
}

/**
 * Whether this process is the server of this data directory. The number alone says little: after a crash or a
 * restart of the machine it may be anybody's, so the command line decides. A zombie has none.
 */
export async function isServer(pid: number, dataDir: string): Promise<boolean> {
  const asked = signal(pid, 0)
  if (asked === "gone") return false
  if (process.platform !== "linux") return (await commandLine(pid)).includes(dataDir)
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined)
  // Another user's processes may be hidden (mount option hidepid): the state file's word is all there is then.
  if (words === undefined) return asked === "forbidden"
  return words.split("\0").includes(dataDir)
}

async function commandLine(pid: number): Promise<string> {
  const { run } = await import("./run.js")
  const outcome = await run("ps", ["-ww", "-o", "args=", "-p", String(pid)], undefined)
  return outcome.state === "ended" ? outcome.stdout : ""
}

/** Sends a signal (0: only asks). */
export function signal(pid: number, name: NodeJS.Signals | 0): "sent" | "gone" | "forbidden" {
  try {
    process.kill(pid, name)
    return "sent"
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM" ? "forbidden" : "gone"
  }
}

/**
 * Clears away what a killed server left behind. Its children live on until they next look up, and as long as one does
 * a new server refuses to start; they are known by their working directory. Its pid file names a process number that
 * may be a stranger's by now, at which a new server refuses to start as well.
 */
export async function clearRemains(dataDir: string): Promise<void> {
  const giveUpAt = Date.now() + 5000
  let orphans = await inhabitants(dataDir)
  while (orphans !== undefined && orphans.length > 0 && Date.now() < giveUpAt) {
    for (const pid of orphans) signal(pid, "SIGKILL")
    await pause(5)
    orphans = await inhabitants(dataDir)
  }
  const file = await readPidFile(dataDir)
  const isStrangers = file !== undefined && signal(file.pid, 0) !== "gone"
  // Where there is no /proc to look into, PostgreSQL's own check for children needs the file.
  if (orphans?.length === 0 || isStrangers) await rm(join(dataDir, "postmaster.pid"), { force: true })
}

/** Every server process works in the data directory. Undefined where there is no /proc. */
async function inhabitants(dataDir: string): Promise<number[] | undefined> {
  const processes = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name))
  if (processes.length === 0) return undefined
  const folders = await Promise.all(processes.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => "")))
  return processes
    .filter((_, index) => folders[index] === dataDir || folders[index] === `${dataDir} (deleted)`)
    .map(Number)
}
