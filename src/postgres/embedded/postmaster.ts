import { readdir, readFile, readlink } from "node:fs/promises"
import { join } from "node:path"

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
 * restart of the machine it may be anybody's. Linux shows the command line; a zombie has an empty one.
 */
export async function isServer(pid: number, dataDir: string): Promise<boolean> {
  const signalled = signal(pid, 0)
  if (signalled === "gone") return false
  if (process.platform !== "linux") return (await readPidFile(dataDir))?.pid === pid
  const words = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined)
  // Hidden from us (hidepid) when it is another user's: then it is at least not a stranger to the state file.
  if (words === undefined) return signalled === "forbidden"
  return words.split("\0").includes(dataDir)
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
 * Ends what a killed server left behind: its children live on until they next look up, and as long as one does,
 * a new server refuses to start. They are known by their working directory. Does nothing where there is no /proc.
 */
export async function endOrphans(dataDir: string): Promise<void> {
  const processes = await readdir("/proc").catch(() => [])
  await Promise.all(
    processes
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "")
        if (folder === dataDir || folder === `${dataDir} (deleted)`) signal(Number(pid), "SIGKILL")
      }),
  )
}
