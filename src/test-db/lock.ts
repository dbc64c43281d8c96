import { mkdir, readFile, rm, rmdir, stat, writeFile } from "node:fs/promises"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import { signal } from "./postmaster.js"

const patienceMs = 90_000
/** Writing a lock's content, or removing a dead holder's lock, takes microseconds; after this somebody died at it. */
const momentMs = 10_000

/**
 * Runs `work` while no other `up` or `down` of the same project runs. The lock is a file that names its holder; when
 * the holder is gone the lock is taken over. Error: L1506 when it cannot be had within 90 s.
 */
export async function withLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + patienceMs
  const self = await describe(process.pid)
  while (!(await create(lockFile, self))) {
    const holder = await readFile(lockFile, "utf8").catch(() => "")
    if (await isDead(lockFile, holder)) {
      await breakLock(lockFile, holder)
    } else if (Date.now() > giveUpAt) {
      throw new LockstepError(
        "L1506",
        `another lockstep test-db is at work in this project (process ${pidOf(holder)})`,
        {
          next: `wait for it or end it, then run this again; its lock is ${lockFile}`,
        },
      )
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

/** Only one may remove a dead holder's lock at a time, or the second would remove the first one's new lock. */
async function breakLock(lockFile: string, deadHolder: string): Promise<void> {
  const breaker = `${lockFile}.break`
  try {
    await mkdir(breaker)
  } catch {
    if ((await ageMs(breaker)) > momentMs) await rmdir(breaker).catch(() => {})
    return await pause(20)
  }
  try {
    if ((await readFile(lockFile, "utf8").catch(() => undefined)) === deadHolder) await rm(lockFile, { force: true })
  } finally {
    await rmdir(breaker).catch(() => {})
  }
}

async function isDead(lockFile: string, holder: string): Promise<boolean> {
  if (holder === "") return (await ageMs(lockFile)) > momentMs
  return signal(pidOf(holder), 0) === "gone" || (await describe(pidOf(holder))) !== holder
}

const ageMs = (path: string): Promise<number> =>
  stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )

const pidOf = (holder: string): number => Number.parseInt(holder, 10)

/** A process and the moment of its birth (field 22 of /proc/PID/stat), because process numbers come again. */
async function describe(pid: number): Promise<string> {
  const line = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")
  const born = line.slice(line.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  return `${pid} ${born}\n`
}
