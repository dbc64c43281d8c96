import { spawn } from "node:child_process"
import { chmod, chown, mkdtemp, rm, stat, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { execa } from "execa"
import { onTestFinished } from "vitest"
import { findBinaries } from "../../src/test-db/binaries.js"
import { isServer, readPidFile } from "../../src/test-db/postmaster.js"
import { identity } from "../../src/test-db/run.js"
import { down, type EmbeddedServer, up } from "../../src/test-db/server.js"
import { copyCluster } from "../support/cluster.js"
import { rolesMayConnect } from "../support/hba.js"
import { until } from "../support/until.js"
import { queryOn } from "./query.js"

/** A server of a test's own, to be broken. */
export interface OwnServer extends EmbeddedServer {
  /** Ends it and waits for its end: "fast" in order, "immediate" as a crash does, without a checkpoint or a farewell. */
  stop(how: "fast" | "immediate"): Promise<void>
  /** Starts it again on the same port and data. */
  restart(): Promise<void>
}

/** Starts a server; it is removed when the test ends. */
export async function ownServer(given: Readonly<Record<string, string | number>> = {}): Promise<OwnServer> {
  // What a test waits for comes after another migration in the same message.
  const settings = { track_activity_query_size: 16_384, ...given }
  const folder = await mkdtemp(join(tmpdir(), "lockstep-server-"))
  // The server's account has to pass through.
  await chmod(folder, 0o755)
  onTestFinished(async () => {
    await down(folder)
    await rm(folder, { recursive: true, force: true })
  })
  await copyCluster(folder)
  const hba = join(folder, "pg_hba.conf")
  await writeFile(hba, rolesMayConnect)
  const all = { hba_file: hba, ...settings }
  const server = await up(folder, { settings: all })
  return {
    ...server,
    stop: async (how) => {
      const file = await readPidFile(server.dataDir)
      if (file === undefined) return
      process.kill(file.pid, how === "fast" ? "SIGINT" : "SIGQUIT")
      await until("the server's end", async () => !(await isServer(file.pid, server.dataDir)))
    },
    restart: async () => void (await up(folder, { settings: all })),
  }
}

/**
 * A standby from the data of a stopped server, read-only and in recovery until the test ends; its URL. "follows": it
 * replays what that server writes, once that runs again.
 */
export async function standbyOf({ dataDir, url }: OwnServer, how: "alone" | "follows" = "alone"): Promise<string> {
  const copy = join(dirname(dataDir), "standby")
  const hba = join(dirname(dataDir), "pg_hba.conf")
  await execa("cp", ["-a", dataDir, copy])
  const { uid, gid } = await stat(dataDir)
  await writeFile(join(copy, "standby.signal"), "")
  await chown(join(copy, "standby.signal"), uid, gid)
  const { postgres } = await findBinaries()
  const port = await freePort()
  const args = [
    "-D",
    copy,
    "-p",
    `${port}`,
    "-c",
    "listen_addresses=127.0.0.1",
    "-c",
    "unix_socket_directories=",
    "-c",
    `hba_file=${hba}`,
    // Where the other server starts later: it would be 5 s until the next try.
    ...["-c", "wal_retrieve_retry_interval=100ms"],
    ...(how === "follows" ? ["-c", `primary_conninfo=${url.replace(/[^/]*$/, "postgres")}`] : []),
  ]
  const owner = process.geteuid?.() === 0 ? { name: "owner", uid, gid } : undefined
  const child = spawn(postgres, args, { ...identity(owner), stdio: "ignore", cwd: "/" })
  onTestFinished(async () => {
    child.kill("SIGQUIT")
    await until("the standby's end", () => child.exitCode !== null || child.signalCode !== null)
  })
  const address = new URL(url)
  address.port = `${port}`
  await until("the standby", () => queryOn(address.href, "SELECT 1").catch(() => undefined))
  return address.href
}

/** A port that nobody has now. */
export async function freePort(): Promise<number> {
  return await new Promise((resolve) => {
    const server = createServer()
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0))
    })
  })
}
