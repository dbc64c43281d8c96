import { rmSync } from "node:fs"
import { chmod, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { signal } from "./postmaster.js"
import { down, up } from "./server.js"

/** A PostgreSQL for the time of one command. */
export interface TemporaryServer {
  /** As its superuser: a secret. */
  readonly url: string
  /** Stops it and removes its data; may be called twice. */
  readonly stop: () => Promise<void>
}

const prefix = "lockstep-temporary-"
/** Nothing in it need survive a crash. */
const settings = { fsync: "off", full_page_writes: "off", synchronous_commit: "off", autovacuum: "off" }

/**
 * Starts an embedded PostgreSQL that ends with this process at the latest; what killed processes left behind is removed.
 * It takes about a second. Errors: L1501 to L1505, L1507.
 */
export async function startTemporaryServer(): Promise<TemporaryServer> {
  await removeForgotten()
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-`))
  // Where root starts it, another account's server works in it.
  if (process.geteuid?.() === 0) await chmod(folder, 0o711)
  let stopped: Promise<void> | undefined
  const end = async () => {
    await down(folder)
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const { url, pid } = await up(folder, { settings })
    const atExit = () => {
      // Immediate shutdown: there is nothing to keep, and no time to wait.
      signal(pid, "SIGQUIT")
      rmSync(folder, { recursive: true, force: true })
    }
    process.once("exit", atExit)
    const stop = () => {
      process.removeListener("exit", atExit)
      stopped ??= end()
      return stopped
    }
    return { url, stop }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function removeForgotten(): Promise<void> {
  const names = await readdir(tmpdir()).catch(() => [])
  for (const name of names.filter((each) => each.startsWith(prefix))) {
    const pid = Number.parseInt(name.slice(prefix.length), 10)
    if (signal(pid, 0) !== "gone") continue
    const folder = join(tmpdir(), name)
    await down(folder).catch(() => undefined)
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
}
