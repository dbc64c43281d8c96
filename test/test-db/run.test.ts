import { chown, lstat, mkdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { accountsIn } from "../../src/test-db/run.js"
import {
  ask,
  call,
  install,
  isRoot,
  makeProject,
  namesIn,
  nobody,
  temporaryFolder,
  upElsewhere,
} from "./installation.js"

test("root runs the server as nobody, or as another account of the system, never as root", () => {
  const passwd = "root:x:0:0::/root:/bin/sh\nbin:x:1:1::/:\ndaemon:x:2:2::/:\n"
  expect(accountsIn(`${passwd}nobody:x:65534:65533::/:\n`)[0]).toEqual({ name: "nobody", uid: 65_534, gid: 65_533 })
  expect(accountsIn(passwd).map(({ name }) => name)).toEqual(["daemon", "bin"])
  expect(accountsIn("nobody:x:0:0::/:\nbroken\n\n")).toEqual([])
})

test("where install scripts are blocked, the links between the libraries are made in the installed package", async () => {
  const folder = await temporaryFolder()
  const installation = await install(folder, "copied")
  const { dataDir, url } = await upElsewhere(installation, await makeProject(folder))
  expect(await ask(url, "SELECT 1")).toBe("1")
  expect((await lstat(join(installation.native, "lib", "libpq.so.5"))).isSymbolicLink()).toBe(true)
  expect(await namesIn(installation.cache)).toEqual([])
  expect(dataDir.startsWith(folder)).toBe(true)
  if (isRoot) expect((await stat(dataDir)).uid, "an unprivileged account's").not.toBe(0)
})

test.runIf(isRoot)(
  "in a home directory that is closed to others, root's server has its programs and data in a shared folder; down removes the data, and programs of which a file is missing are copied again",
  async () => {
    const folder = await temporaryFolder()
    const home = join(folder, "home")
    await mkdir(home, { mode: 0o700 })
    const installation = { ...(await install(home, "copied")), cache: join(folder, "cache") }
    const project = await makeProject(home)
    const server = await upElsewhere(installation, project)
    expect(server.dataDir.startsWith(join(installation.cache, "lockstep-0", "cluster-"))).toBe(true)
    expect(await ask(server.url, "SELECT 1")).toBe("1")
    expect((await call(installation, "running", project)).answer.result).toMatchObject({ pid: server.pid })
    expect((await call(installation, "down", project)).answer.result).toBe("stopped")
    const shared = join(installation.cache, "lockstep-0")
    const [copy = "", ...others] = await namesIn(shared)
    expect([copy.split("-")[0], others]).toEqual(["postgresql", []])
    await rm(join(shared, copy, "native", "share", "postgresql", "postgres.bki"))
    expect(await ask((await upElsewhere(installation, project)).url, "SELECT 1")).toBe("1")
    expect(await namesIn(shared)).toHaveLength(2)
  },
)

test.runIf(isRoot)(
  "an ordinary user runs it as himself, from an installation that is not writable for him",
  async () => {
    const folder = await temporaryFolder()
    const installation = await install(folder, "copied")
    const project = await makeProject(folder, "project", nobody)
    const server = await upElsewhere(installation, project, nobody)
    expect(server.dataDir).toBe(join(project, ".lockstep", "postgres", "data"))
    expect(await ask(server.url, "SELECT 1")).toBe("1")
    await expect(lstat(join(installation.native, "lib", "libpq.so.5"))).rejects.toMatchObject({ code: "ENOENT" })
    expect((await call(installation, "down", project, nobody)).answer.result).toBe("stopped")
  },
)

test.runIf(isRoot)("a user finds the server that root started, and cannot stop it", async () => {
  const folder = await temporaryFolder()
  const installation = await install(folder, "linked")
  const project = await makeProject(folder, "project", 1)
  const server = await upElsewhere(installation, project)
  expect((await call(installation, "running", project, 1)).answer.result).toMatchObject({ pid: server.pid })
  expect((await call(installation, "down", project, 1)).answer.error).toMatchObject({ code: "L1507" })
})

test.runIf(isRoot)("root takes over the data of the user whose project it is", async () => {
  const folder = await temporaryFolder()
  const installation = await install(folder, "linked")
  const project = await makeProject(folder, "project", 1)
  const { pid, url } = await upElsewhere(installation, project, 1)
  await ask(url, "CREATE TABLE t ()")
  process.kill(pid, "SIGKILL")
  const after = await upElsewhere(installation, project)
  expect(await ask(after.url, "SELECT to_regclass('t')")).toBe("t")
})

test.runIf(isRoot)("a shared folder that another user has made is not used", async () => {
  const folder = await temporaryFolder()
  const home = join(folder, "home")
  await mkdir(home, { mode: 0o700 })
  const installation = { ...(await install(home, "linked")), cache: join(folder, "cache") }
  await mkdir(join(installation.cache, "lockstep-0"), { recursive: true })
  await chown(join(installation.cache, "lockstep-0"), nobody, nobody)
  const { answer } = await call(installation, "up", await makeProject(home))
  expect(answer.error).toMatchObject({ code: "L1507", details: { hint: expect.stringContaining(installation.cache) } })
})
