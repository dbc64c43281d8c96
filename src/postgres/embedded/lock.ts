import { randomBytes } from "node:crypto"
import { link, mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../../errors.js"
import { signal } from "./postmaster.js"

const patienceMs = 90_000
const breakerLifetimeMs = 10_000

/**
 * Runs `work` while no other `up` or `down` of the same project runs. The lock is a file that names its holder; when
 * the holder is gone the lock is taken over. Error: L1506 when it cannot be had within 90 s.
 */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const claim = `${lockFile}.${randomBytes(4).toString("hex")}`
  await writeFile(claim, await describe(process.pid))
  try {
    await take(lockFile, claim)
  } finally {
    await rm(claim, { force: true })
  }
  try {
    return await work()
  } finally {
    await rm(lockFile, { force: true })
  }
}

async function take(lockFile: string, claim: string): Promise<void> {
  const giveUpAt = Date.now() + patienceMs
  for (;;) {
    try {
      // A link appears with its content, so that nobody ever reads a lock without a holder.
      return await link(claim, lockFile)
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    }
    const holder = await readFile(lockFile, "utf8").catch(() => "")
    if (holder !== "" && !(await isAlive(holder))) {
      await breakLock(lockFile, holder)
    } else if (Date.now() > giveUpAt) {
      throw new LockstepError("L1506", `another lockstep test-db (process ${pidOf(holder)}) is at work in this project`, {
        next: `wait for it or end it, then run this again (its lock is ${lockFile})`,
      })
    } else {
      await pause(20)
    }
  }
}

/** Removes a dead holder's lock. Only one may do so at a time, or the second would remove the first one's new lock. */
async function breakLock(lockFile: string, deadHolder: string): Promise<void> {
  const breaker = `${lockFile}.break`
  try {
    await mkdir(breaker)
  } catch {
    const age = Date.now() - (await stat(breaker).then(({ mtimeMs }) => mtimeMs, () => Date.now()))
    if (age > breakerLifetimeMs) await rmdir(breaker).catch(() => {})
    return await pause(20)
  }
  try {
    if ((await readFile(lockFile, "utf8").catch(() => "")) === deadHolder) await rm(lockFile, { force: true })
  } finally {
    await rmdir(breaker).catch(() => {})
  }
}

const pidOf = (holder: string): number => Number.parseInt(holder, 10)

async function isAlive(holder: string): Promise<boolean> {
  return signal(pidOf(holder), 0) !== "gone" && (await describe(pidOf(holder))) === holder
}

/** A process and the moment of its birth (field 22 of /proc/PID/stat), because process numbers come again. */
async function describe(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  const born = line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  return `${pid} ${born}\n`
}
