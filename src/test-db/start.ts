import { spawn } from "node:child_process"
import { open, readFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import type { Binaries } from "./binaries.js"
import { lastLines, ownerOf } from "./cluster.js"
import { dataFolder } from "./folder.js"
import { clearRemains, isServer, type PidFile, readPidFile } from "./postmaster.js"
import { environment, identity } from "./run.js"

const patienceMs = 60_000

export interface StartOptions {
  readonly binaries: Binaries
  readonly cluster: string
  readonly settingsFile: string
  /** Tried in this order, then ports that the system says are free. */
  readonly ports: readonly number[]
}

/**
 * Starts the server and waits until it takes connections; waits only, where one is starting already. It gets a
 * session of its own and no pipe to us, so that it outlives its parent. Error: L1505 with the end of the server's log.
 */
export async function start(options: StartOptions): Promise<PidFile> {
  const data = dataFolder(options.cluster)
  const giveUpAt = Date.now() + patienceMs
  const previous = await readPidFile(data)
  if (previous !== undefined && (await isServer(previous.pid, data))) {
    const adopted = await untilReady(data, giveUpAt, (file) => file.pid === previous.pid)
    if (typeof adopted !== "string") return adopted
    throw notStarted(options.cluster, adopted)
  }
  await clearRemains(data)
  for (let attempt = 0; ; attempt++) {
    const port = await freePort(options.ports[attempt])
    const outcome =
      port === undefined ? "no port is free: Address already in use" : await launch(options, port, giveUpAt)
    if (typeof outcome !== "string") return outcome
    // The server's own words, which are English: its environment has the locale C.
    // Somebody took the port between our look and the server's.
    const isTaken = outcome.includes("Address already in use")
    // Children of a killed server where they cannot be found (no /proc): they end by themselves.
    const isHaunted = outcome.includes("pre-existing shared memory block")
    if ((!isTaken && !isHaunted) || Date.now() > giveUpAt) throw notStarted(options.cluster, outcome)
    if (isHaunted || attempt > options.ports.length) await pause(100)
  }
}

/** The ready server, or what it said before it gave up. */
async function launch(options: StartOptions, port: number, giveUpAt: number): Promise<PidFile | string> {
  const data = dataFolder(options.cluster)
  const before = await readPidFile(data)
  const log = await open(logFile(options.cluster), "w", 0o600)
  await log.chmod(0o600)
  let end: string | undefined
  const child = spawn(
    options.binaries.postgres,
    ["-D", data, "-p", String(port), "-c", `config_file=${options.settingsFile}`],
    {
      ...identity(await ownerOf(data)),
      env: environment,
      cwd: "/",
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
    },
  )
  child.on("error", (error) => {
    end = error.message
  })
  child.on("exit", () => {
    end ??= ""
  })
  child.unref()
  await log.close()
  // A killed server leaves its pid file, which says "ready", and process numbers come again.
  const isNew = (file: PidFile) => file.pid === child.pid && file.startedAt !== before?.startedAt
  const outcome = await untilReady(data, giveUpAt, isNew, () => end)
  return outcome === "" ? await readFile(logFile(options.cluster), "utf8") : outcome
}

async function untilReady(
  data: string,
  giveUpAt: number,
  isIt: (file: PidFile) => boolean,
  ended: () => string | undefined = () => undefined,
): Promise<PidFile | string> {
  while (Date.now() < giveUpAt) {
    const file = await readPidFile(data)
    if (file?.status === "ready" && isIt(file)) return file
    const end = ended()
    if (end !== undefined) return end
    await pause(5)
  }
  return `it was not ready after ${patienceMs / 1000} s`
}

const logFile = (cluster: string): string => join(cluster, "server.log")

/** This port if nobody has it on 127.0.0.1; one that the system chooses when none is named. */
async function freePort(wanted = 0): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.on("error", () => resolve(undefined))
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined))
    })
  })
}

function notStarted(cluster: string, output: string): LockstepError {
  return new LockstepError("L1505", "the test database's server did not start", {
    hint: lastLines(output),
    state: `its data are in ${cluster}`,
    next: `see what it says above (whole: ${logFile(cluster)}); npx lockstep test-db down, then up, starts afresh and loses its content`,
  })
}
