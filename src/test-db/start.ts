import { spawn } from "node:child_process"
import { open, readFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { LockstepError } from "../errors.js"
import type { Binaries } from "./binaries.js"
import { dataDirectory } from "./paths.js"
import { isServer, type PidFile, readPidFile, removeLeftovers } from "./postmaster.js"
import { environment, identity, lastLines, ownerOf } from "./run.js"

const timeoutMs = 60_000

interface StartOptions {
  readonly binaries: Binaries
  readonly cluster: string
  readonly settingsFile: string
  /** Tried in this order, then ports that the system reports as free. */
  readonly ports: readonly number[]
}

/**
 * Starts the server and waits until it accepts connections; where it is starting already, only waits. The server has a
 * session of its own and no pipe to this process, so that it keeps running when this process ends.
 * Errors: L1505 it does not start, with the end of its log.
 */
export async function startServer(options: StartOptions): Promise<PidFile> {
  const data = dataDirectory(options.cluster)
  const deadline = Date.now() + timeoutMs
  const previous = await readPidFile(data)
  if (previous !== undefined && (await isServer(previous.pid, data))) {
    const outcome = await untilReady({ data, deadline, isExpected: (file) => file.pid === previous.pid })
    if (typeof outcome !== "string") return outcome
    throw notStarted(options.cluster, outcome)
  }
  await removeLeftovers(data)
  for (let attempt = 0; ; attempt++) {
    const port = await freePort(options.ports[attempt])
    const outcome =
      port === undefined ? "no port is free: Address already in use" : await launch(options, port, deadline)
    if (typeof outcome !== "string") return outcome
    // PostgreSQL's messages, in English: `environment` sets the locale C.
    // Another process took the port after freePort() looked.
    const isPortTaken = outcome.includes("Address already in use")
    // A killed server's orphaned processes, where they cannot be found (no /proc): they end by themselves.
    const hasOrphans = outcome.includes("pre-existing shared memory block")
    if ((!isPortTaken && !hasOrphans) || Date.now() > deadline) throw notStarted(options.cluster, outcome)
    if (hasOrphans || attempt > options.ports.length) await pause(100)
  }
}

/** The ready server, or its log where it ended. */
async function launch(options: StartOptions, port: number, deadline: number): Promise<PidFile | string> {
  const data = dataDirectory(options.cluster)
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
  // A killed server's pid file still has the status "ready", and its process id may be used again.
  const isExpected = (file: PidFile) => file.pid === child.pid && file.startedAt !== before?.startedAt
  const outcome = await untilReady({ data, deadline, isExpected, ended: () => end })
  return outcome === "" ? await readFile(logFile(options.cluster), "utf8") : outcome
}

interface Wait {
  readonly data: string
  readonly deadline: number
  /** Whether a pid file is of the server that is waited for. */
  readonly isExpected: (file: PidFile) => boolean
  /** Why it ended; undefined while it runs. */
  readonly ended?: () => string | undefined
}

async function untilReady({ data, deadline, isExpected, ended }: Wait): Promise<PidFile | string> {
  while (Date.now() < deadline) {
    const file = await readPidFile(data)
    if (file?.status === "ready" && isExpected(file)) return file
    const end = ended?.()
    if (end !== undefined) return end
    await pause(5)
  }
  return `timed out after ${timeoutMs / 1000} s waiting for the server to accept connections`
}

const logFile = (cluster: string): string => join(cluster, "server.log")

/** This port of 127.0.0.1 if it is free, or one that the system chooses; undefined if it is taken. */
async function freePort(port = 0): Promise<number | undefined> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.on("error", () => resolve(undefined))
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" ? address?.port : undefined))
    })
  })
}

function notStarted(cluster: string, output: string): LockstepError {
  return new LockstepError("L1505", "the test database's server did not start", {
    hint: lastLines(output),
    state: `its data are in ${cluster}.`,
    next: `fix what its log says (${logFile(cluster)}), or remove its data with \`lockstep test-db down\` and start it again`,
  })
}
