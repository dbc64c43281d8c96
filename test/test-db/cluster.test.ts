import { execFileSync } from "node:child_process"
import { chmod, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { pathsOf } from "../../src/test-db/paths.js"
import { down, running, up } from "../../src/test-db/server.js"
import { copyCluster } from "../support/cluster.js"
import { ask, install, isRoot, makeProject, nobody, temporaryFolder, upElsewhere } from "./installation.js"

async function project(): Promise<string> {
  const folder = await makeProject(await temporaryFolder())
  onTestFinished(async () => {
    await down(folder)
  })
  await copyCluster(folder)
  return folder
}

/** The SQLSTATE or message with which a connection is refused. */
const refusal = async (url: URL): Promise<string> =>
  await ask(url.href, "SELECT 1").then(
    () => "it connected",
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

test.each(["127.0.0.1", "a unix socket"])("nobody connects without the password: over %s", async (way) => {
  const folder = await project()
  const sockets = await temporaryFolder()
  await chmod(sockets, 0o777)
  const server = await up(folder, { settings: { unix_socket_directories: sockets } })
  const url = new URL(server.url)
  if (way !== "127.0.0.1") url.searchParams.set("host", sockets)
  expect(await ask(url.href, "SELECT 1")).toBe("1")
  await ask(server.url, "CREATE ROLE without_password LOGIN SUPERUSER")
  url.password = "wrong"
  expect(await refusal(url)).toBe("28P01")
  url.password = ""
  expect(await refusal(url)).not.toBe("it connected")
  url.username = "without_password"
  expect(await refusal(url)).not.toBe("it connected")
  expect(await ask(server.url, "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'postgres'")).toBe(
    "SCRAM-SHA-256$",
  )
})

test.each([["this user", undefined] as const, ...(isRoot ? [["an ordinary user", nobody] as const] : [])])(
  "other users can list none of its folders and read no file with the password: started by %s",
  async (_, uid) => {
    const folder = await temporaryFolder()
    const { dataDir, url } = await upElsewhere(
      await install(folder, "linked"),
      await makeProject(folder, "project", uid),
      uid,
    )
    const { password } = new URL(url)
    const state = join(folder, "project", ".lockstep")
    expect(dataDir).toBe(join(state, "postgres", "data"))
    const entries = await readdir(state, { withFileTypes: true, recursive: true })
    const outside = entries
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => !path.startsWith(`${dataDir}/`))
    expect(outside.length).toBeGreaterThan(5)
    for (const path of [state, ...outside]) {
      const { mode } = await stat(path)
      if ((await stat(path)).isDirectory()) expect({ path, mode: mode & 0o066 }).toEqual({ path, mode: 0 })
      else if ((await readFile(path, "utf8")).includes(password))
        expect({ path, mode: mode & 0o777 }).toEqual({ path, mode: 0o600 })
    }
    expect((await stat(dataDir)).mode & 0o077).toBe(0)
    expect((await stat(join(state, "postgres", "server.log"))).mode & 0o077).toBe(0)
  },
)

test("the password is in no command line", async () => {
  const folder = await temporaryFolder()
  const server = await up(await makeProject(folder))
  onTestFinished(async () => {
    await down(join(folder, "project"))
  })
  const { password } = new URL(server.url)
  expect(execFileSync("ps", ["-ww", "-eo", "args"], { encoding: "utf8" })).not.toContain(password)
  expect(await readFile(join(server.dataDir, "..", "server.log"), "utf8")).not.toContain(password)
})

test("data that an earlier version made without a password get one, and keep their content", async () => {
  const folder = await project()
  const paths = pathsOf(folder)
  const before = await up(folder)
  await ask(before.url, "CREATE TABLE t ()")
  await ask(before.url, "ALTER ROLE postgres PASSWORD NULL")
  await rm(paths.passwordFile)
  const state = { schema: "lockstep.test-db-state/1", ...before, url: "postgresql://postgres@127.0.0.1/lockstep" }
  await writeFile(paths.stateFile, JSON.stringify(state))
  await chmod(paths.stateFolder, 0o755)
  expect(await running(folder)).toBeUndefined()
  const after = await up(folder)
  expect(after).toMatchObject({ reused: false, port: before.port })
  expect(after.pid).not.toBe(before.pid)
  expect(await ask(after.url, "SELECT to_regclass('t')")).toBe("t")
  expect(await refusal(new URL(before.url))).toBe("28P01")
  expect((await stat(paths.stateFolder)).mode & 0o066).toBe(0)
})
