import { spawn, spawnSync } from "node:child_process"
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import { until } from "../support/until.js"
import { queryOn } from "./query.js"
import { freePort } from "./server.js"

const path = `${process.env.PATH}:/usr/sbin`
/** Whether PgBouncer is on this machine: npm does not bring it. */
export const hasPgBouncer = spawnSync("pgbouncer", ["--version"], { env: { PATH: path } }).status === 0
if (!hasPgBouncer) console.log("skipped: PgBouncer (it is not installed here)")

interface PoolSettings {
  readonly poolSize?: number
  /** Lines of its configuration. */
  readonly more?: readonly string[]
  readonly databases?: "all" | "the URL's"
}

/** PgBouncer before the test's server; its URL for a database. */
export async function pgbouncer(
  url: string,
  mode: "session" | "transaction",
  { poolSize = 5, more = [], databases = "all" }: PoolSettings = {},
): Promise<string> {
  const target = new URL(url)
  const folder = await mkdtemp(join(tmpdir(), "lockstep-pgbouncer-"))
  await chmod(folder, 0o755)
  const port = await freePort()
  const settings = `[databases]
* = host=${target.hostname} port=${target.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = ${poolSize}
${more.join("\n")}
`
  // With auth_type any the server's user has to be named.
  const account = `user=${target.username} password='${decodeURIComponent(target.password)}'`
  const served = databases === "all" ? "*" : target.pathname.slice(1)
  const file = join(folder, "pgbouncer.ini")
  await writeFile(file, settings.replace("* = ", `${served} = ${account} `), { mode: 0o600 })
  const other = process.geteuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
  if (other.uid !== undefined) await chown(file, other.uid, other.gid)
  const child = spawn("pgbouncer", ["-q", file], {
    env: { PATH: path },
    stdio: "ignore",
    ...other,
  })
  onTestFinished(async () => {
    child.kill("SIGKILL")
    await until("PgBouncer's end", () => child.exitCode !== null || child.signalCode !== null)
    await rm(folder, { recursive: true })
  })
  target.hostname = "127.0.0.1"
  target.port = `${port}`
  await until("PgBouncer", () => queryOn(target.href, "SELECT 1").catch(() => undefined))
  return target.href
}
