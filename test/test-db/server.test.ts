import { mkdir, readFile, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { pathsOf, preferredPort } from "../../src/test-db/paths.js"
import { down, running, up } from "../../src/test-db/server.js"
import { copyCluster } from "../support/cluster.js"
import { ask, call, install, makeProject, namesIn, temporaryFolder } from "./installation.js"

async function emptyProject(): Promise<string> {
  const folder = await makeProject(await temporaryFolder())
  onTestFinished(async () => {
    await down(folder)
  })
  return folder
}

/** A project whose server was up before. */
async function project(): Promise<string> {
  const folder = await emptyProject()
  await copyCluster(folder)
  return folder
}

test("up starts a PostgreSQL 18 with an empty database, up again finds it running", async () => {
  const folder = await emptyProject()
  const first = await up(folder)
  expect(first).toMatchObject({ version: expect.stringMatching(/^18\./), reused: false })
  expect(first.url).toMatch(new RegExp(`^postgresql://postgres:[\\w-]{32}@127.0.0.1:${first.port}/lockstep$`))
  expect(await ask(first.url, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toBe("0")
  const { startedMs: _, ...rest } = first
  expect(await up(folder)).toEqual({ ...rest, reused: true })
  expect(await running(folder)).toEqual({ ...rest, reused: true })
})

test("sorting, case and time are the same on every machine", async () => {
  const { url } = await up(await project())
  expect(await ask(url, "SELECT string_agg(x, '' ORDER BY x) FROM unnest(ARRAY['b','a','B','ä']) x")).toBe("Babä")
  expect(await ask(url, "SELECT upper('äß')")).toBe("Äß")
  expect(await ask(url, "SHOW timezone")).toBe("UTC")
})

test("git ignores the state folder whatever the project's .gitignore contains", async () => {
  const folder = await emptyProject()
  await up(folder)
  expect(await readFile(join(folder, ".lockstep", ".gitignore"), "utf8")).toBe("*\n")
})

test("down stops the server and keeps only the password; up then gives the same URL with an empty database", async () => {
  const folder = await project()
  const { url } = await up(folder)
  await ask(url, "CREATE TABLE t ()")
  expect(await down(folder)).toBe("stopped")
  expect(await running(folder)).toBeUndefined()
  expect(await namesIn(join(folder, ".lockstep"))).toEqual([".gitignore", "test-db.password"])
  expect(await down(folder)).toBe("not running")
  expect((await up(folder)).url).toBe(url)
  expect(await ask(url, "SELECT to_regclass('t') IS NULL")).toBe("true")
})

test("down does not wait for connected clients", async () => {
  const folder = await project()
  const { url } = await up(folder)
  const sleeper = ask(url, "SELECT pg_sleep(3600)").catch((error: unknown) => error)
  await expect.poll(() => ask(url, "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%3600)'")).toBe("1")
  expect(await down(folder)).toBe("stopped")
  expect(await sleeper).toMatchObject({ message: expect.stringContaining("terminat") })
})

test("two checkouts have a server, a port and data each", async () => {
  const one = await up(await project())
  const other = await up(await project())
  expect(one.port).not.toBe(other.port)
  await ask(one.url, "CREATE TABLE only_here ()")
  expect(await ask(other.url, "SELECT to_regclass('only_here') IS NULL")).toBe("true")
})

test("a port that another process listens on is not used", async () => {
  const folder = await project()
  const taken = preferredPort(folder)
  const occupant = createServer().listen(taken, "127.0.0.1")
  onTestFinished(() => void occupant.close())
  const { port, url } = await up(folder)
  expect(port).not.toBe(taken)
  expect(await ask(url, "SELECT 1")).toBe("1")
})

test("several up at the same time start one server", async () => {
  const folder = await emptyProject()
  const installation = await install(await temporaryFolder(), "linked")
  const calls = await Promise.all(Array.from({ length: 5 }, () => call(installation, "up", folder)))
  const servers = calls.map(({ answer }) => answer.error ?? answer.result)
  const { pid, port } = (await running(folder)) ?? {}
  expect(servers).toEqual(servers.map(() => expect.objectContaining({ pid, port })))
  expect(
    servers.filter((server) => server && typeof server === "object" && "reused" in server && !server.reused),
  ).toHaveLength(1)
})

test("settings are given to the server, and a migration may still change them", async () => {
  const { url } = await up(await project(), { settings: { max_connections: 33, cluster_name: "it's" } })
  expect(await ask(url, "SHOW max_connections")).toBe("33")
  expect(await ask(url, "SHOW cluster_name")).toBe("it's")
  await ask(url, "ALTER SYSTEM SET log_min_duration_statement = '1s'")
  await ask(url, "SELECT pg_reload_conf()")
  await expect.poll(() => ask(url, "SHOW log_min_duration_statement")).toBe("1s")
})

test("a state file with another project's server is ignored", async () => {
  const folder = await project()
  const mine = await up(folder)
  const other = await emptyProject()
  await mkdir(join(other, ".lockstep"))
  await writeFile(pathsOf(other).stateFile, await readFile(pathsOf(folder).stateFile))
  expect(await running(other)).toBeUndefined()
  expect(await down(other)).toBe("not running")
  expect(await running(folder)).toMatchObject({ pid: mine.pid })
})
