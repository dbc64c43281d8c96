import { existsSync, readFileSync } from "node:fs"
import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { pathsOf } from "../../src/test-db/paths.js"
import { down, running, up } from "../../src/test-db/server.js"
import { copyCluster } from "../support/cluster.js"
import { ask, call, install, makeProject, temporaryFolder } from "./installation.js"

async function project(): Promise<string> {
  const folder = await makeProject(await temporaryFolder())
  onTestFinished(async () => {
    await down(folder)
  })
  await copyCluster(folder)
  return folder
}

/** A zombie has ended too: it has no command line. */
function isGone(pid: number): boolean {
  try {
    return process.platform === "linux" ? readFileSync(`/proc/${pid}/cmdline`, "utf8") === "" : !process.kill(pid, 0)
  } catch {
    return true
  }
}

test("the server outlives the killed process that started it", async () => {
  const folder = await project()
  const { child } = await call(await install(await temporaryFolder(), "linked"), "up-and-stay", folder)
  // The whole process group, as a terminal or a CI runner does it.
  process.kill(-(child.pid ?? 0), "SIGKILL")
  await expect.poll(() => child.exitCode ?? child.signalCode).toBe("SIGKILL")
  const server = await running(folder)
  expect(await ask(server?.url ?? "", "SELECT 1")).toBe("1")
})

test("after kill -9, up brings back what was committed, at the same URL", async () => {
  const folder = await project()
  const before = await up(folder)
  await ask(before.url, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n")
  process.kill(before.pid, "SIGKILL")
  await expect.poll(() => running(folder)).toBeUndefined()
  const after = await up(folder)
  expect(after).toMatchObject({ url: before.url, reused: false })
  expect(await ask(after.url, "SELECT count(*) FROM t")).toBe("1000")
})

test("after kill -9, a statement that is still running does not prevent a start", async () => {
  const folder = await project()
  const { url, pid } = await up(folder)
  // It never checks for its parent, so it does not notice that the server has ended.
  const busy = ask(url, "DO $$ BEGIN LOOP END LOOP; END $$").catch(() => "lost")
  const backend = () => ask(url, "SELECT pid FROM pg_stat_activity WHERE query LIKE 'DO %'")
  await expect.poll(backend).toBeDefined()
  const orphan = Number(await backend())
  process.kill(pid, "SIGKILL")
  await expect.poll(() => isGone(pid)).toBe(true)
  expect(isGone(orphan)).toBe(false)
  expect(await ask((await up(folder)).url, "SELECT 1")).toBe("1")
  expect(isGone(orphan)).toBe(true)
  expect(await busy).toBe("lost")
})

test("after a restart of the machine, another process may have the server's id", async () => {
  const folder = await project()
  const { pid, dataDir } = await up(folder)
  process.kill(pid, "SIGKILL")
  await expect.poll(() => isGone(pid)).toBe(true)
  for (const file of [join(dataDir, "postmaster.pid"), pathsOf(folder).stateFile]) {
    const text = await readFile(file, "utf8")
    await writeFile(file, text.replace(String(pid), String(process.pid)))
  }
  expect(await running(folder)).toBeUndefined()
  const after = await up(folder)
  expect(await ask(after.url, "SELECT 1")).toBe("1")
})

test("a pid file that a crash truncated does not prevent a start", async () => {
  const folder = await project()
  const { pid, dataDir } = await up(folder)
  process.kill(pid, "SIGKILL")
  await expect.poll(() => isGone(pid)).toBe(true)
  await writeFile(join(dataDir, "postmaster.pid"), "")
  expect(await ask((await up(folder)).url, "SELECT 1")).toBe("1")
})

test("a lost or damaged state file: up finds the running server again, down stops it", async () => {
  const folder = await project()
  const before = await up(folder)
  await rm(pathsOf(folder).stateFile)
  expect(await up(folder)).toMatchObject({ pid: before.pid, url: before.url })
  await writeFile(pathsOf(folder).stateFile, '{"schema":')
  expect(await down(folder)).toBe("stopped")
  expect(isGone(before.pid)).toBe(true)
})

test("data removed while the server is running: up starts a new server", async () => {
  const folder = await project()
  const before = await up(folder)
  await rm(join(folder, ".lockstep"), { recursive: true })
  expect(await running(folder)).toBeUndefined()
  const after = await up(folder)
  expect(after.pid).not.toBe(before.pid)
  expect(await ask(after.url, "SELECT 1")).toBe("1")
  expect(isGone(before.pid)).toBe(true)
})

test("an up that was killed while it made the data does not prevent the next one, and neither does its lock", async () => {
  const folder = await project()
  await up(folder)
  await down(folder)
  const paths = pathsOf(folder)
  await writeFile(paths.lockFile, "999999999 1\n")
  const half = join(paths.clusters[0] ?? "", "data.deadbeef")
  await mkdir(half, { recursive: true })
  await up(folder)
  expect(existsSync(half)).toBe(false)
})

test("a server that does not start is an error with the end of its log", async () => {
  const folder = await project()
  await expect(up(folder, { settings: { shared_buffers: "a lot" } })).rejects.toMatchObject({
    code: "L1505",
    details: { hint: expect.stringContaining("shared_buffers"), next: expect.stringContaining("test-db down") },
  })
  expect(await ask((await up(folder)).url, "SELECT 1")).toBe("1")
})
