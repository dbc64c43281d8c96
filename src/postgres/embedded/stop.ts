import { lstat, rm, stat } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../../errors.js"
import { dataFolder } from "./place.js"
import { clearRemains, isServer, readPidFile, signal } from "./postmaster.js"
import { run } from "./run.js"

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
