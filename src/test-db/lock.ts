import { mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import { signal } from "./postmaster.js"

const timeoutMs = 90_000
/** Creating or removing a lock takes microseconds: a lock without content that is older than this has a dead owner. */
const abandonedMs = 10_000

/**
 * Runs `work` while no other `up` or `down` of the same project runs. The lock is a file that contains its holder's
 * process; a dead holder's lock is removed. Errors: L1506 timed out waiting for the lock.
 */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + timeoutMs
  const self = await describe(process.pid)
  while (!(await create(lockFile, self))) {
    const holder = await readFile(lockFile, "utf8").catch(() => "")
    if (await isDead(lockFile, holder)) {
      await removeDeadLock(lockFile, holder)
    } else if (Date.now() > deadline) {
      throw new LockstepError("L1506", `another lockstep test-db is running in this project (pid ${pidOf(holder)})`, {
        hint: `Timed out after ${timeoutMs / 1000} s. Its lock is ${lockFile}.`,
        next: "wait until it has ended, or end it; then run this again",
      })
    } else {
      await pause(20)
    }
  }
  try {
    return await work()
  } finally {
    await rm(lockFile, { force: true })
  }
}

async function create(lockFile: string, content: string): Promise<boolean> {
  try {
    await writeFile(lockFile, content, { flag: "wx" })
    return true
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false
    throw error
  }
}

/**
 * Removes a dead holder's lock. A folder makes sure that only one process does it at a time: a second one would remove
 * the lock that the first one has created in the meantime.
 */
async function removeDeadLock(lockFile: string, deadHolder: string): Promise<void> {
  const guard = `${lockFile}.break`
  try {
    await mkdir(guard)
  } catch {
    if ((await ageMs(guard)) > abandonedMs) await rmdir(guard).catch(() => {})
    return await pause(20)
  }
  try {
    if ((await readFile(lockFile, "utf8").catch(() => undefined)) === deadHolder) await rm(lockFile, { force: true })
  } finally {
    await rmdir(guard).catch(() => {})
  }
}

async function isDead(lockFile: string, holder: string): Promise<boolean> {
  if (holder === "") return (await ageMs(lockFile)) > abandonedMs
  return signal(pidOf(holder), 0) === "gone" || (await describe(pidOf(holder))) !== holder
}

const ageMs = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )

const pidOf = (holder: string): number => Number.parseInt(holder, 10)

/** A process id and the process's start time (field 22 of /proc/PID/stat): process ids are used again. */
async function describe(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  const startTime = line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  return `${pid} ${startTime}\n`
}
