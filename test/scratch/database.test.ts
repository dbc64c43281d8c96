import { expect, test } from "vitest"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { openScratchDatabase, withScratchDatabase } from "../../src/scratch/database.js"
import { lockstep } from "../support/cli.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"

const exists = async (database: TestDatabase, name: string): Promise<boolean> =>
  (await database.query("SELECT FROM pg_database WHERE datname = $1", [name])).length > 0

test("a scratch database is another database of the same server, and is dropped afterwards", async () => {
  const database = await createDatabase()
  const { client, drop } = await openScratchDatabase({ url: parseDatabaseUrl(database.url) })
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
  const name = rows[0]?.name ?? ""
  expect(name).toMatch(/^lockstep_scratch_/)
  expect(await exists(database, name)).toBe(true)
  await drop()
  await drop()
  expect(await exists(database, name)).toBe(false)
})

test("the URL's schema exists in it, and unqualified names mean it", async () => {
  const database = await createDatabase()
  const { client, drop } = await openScratchDatabase({ url: parseDatabaseUrl(`${database.url}?schema=shop`) })
  await client.query("CREATE TABLE t (n int)")
  const { rows } = await client.query("SELECT schemaname FROM pg_tables WHERE tablename = 't'")
  expect(rows).toEqual([{ schemaname: "shop" }])
  await drop()
})

test("initShadowDb is run first", async () => {
  const url = parseDatabaseUrl((await createDatabase()).url)
  const initShadowDb = "CREATE TABLE managed_elsewhere (n int)"
  const rows = await withScratchDatabase(
    { url, initShadowDb },
    async ({ client }) => (await client.query("SELECT * FROM managed_elsewhere")).rows,
  )
  expect(rows).toEqual([])
})

test("it is dropped after a failure too", async () => {
  const database = await createDatabase()
  let name = ""
  const working = withScratchDatabase({ url: parseDatabaseUrl(database.url) }, async ({ client }) => {
    name = (await client.query<{ name: string }>("SELECT current_database() AS name")).rows[0]?.name ?? ""
    expect(await exists(database, name)).toBe(true)
    throw new Error("no")
  })
  await expect(working).rejects.toThrow("no")
  expect(await exists(database, name)).toBe(false)
})

test.each([
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const)("a command that %s ends during a replay drops it and exits with %i", async (signal, exitCode) => {
  const database = await createDatabase()
  const mark = `marked_${database.name}`
  const { root } = createProject({ migrations: { "20260101000000_long": `SELECT pg_sleep(60), '${mark}';` } })
  const child = lockstep(["diff", "history", "empty"], { cwd: root, url: database.url })
  const running = `SELECT datname FROM pg_stat_activity WHERE query LIKE '%${mark}%' AND datname LIKE 'lockstep\\_scratch\\_%'`
  let name = ""
  await until("the replay", async () => {
    name = String((await database.query(running))[0]?.datname ?? "")
    return name !== ""
  })
  child.kill(signal)
  expect(await child).toMatchObject({ exitCode })
  expect(await exists(database, name)).toBe(false)
})

test("one that a killed process left is dropped by the next one; one in use is not", async () => {
  const database = await createDatabase()
  const url = parseDatabaseUrl(database.url)
  const leftOver = `lockstep_scratch_left_over_${database.name}`
  await database.query(`CREATE DATABASE ${leftOver}`)
  const used = await openScratchDatabase({ url })
  const { rows } = await used.client.query<{ name: string }>("SELECT current_database() AS name")
  await openScratchDatabase({ url }).then(({ drop }) => drop())
  expect(await exists(database, leftOver)).toBe(false)
  expect(await exists(database, rows[0]?.name ?? "")).toBe(true)
  await used.drop()
})

test("a configured shadow database is emptied before use, and kept", async () => {
  const [main, configured] = [await createDatabase(), await createDatabase()]
  await configured.query("CREATE TABLE left_over (n int); CREATE SCHEMA shop; CREATE TABLE shop.t (n int)")
  const urls = { url: parseDatabaseUrl(main.url), shadowUrl: parseDatabaseUrl(configured.url) }
  const { client, drop } = await openScratchDatabase(urls)
  const tables = "SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
  expect((await client.query(tables)).rows).toEqual([])
  await drop()
  expect(await exists(main, configured.name)).toBe(true)
})

test("the main database as its own shadow database is refused, before anything is dropped", async () => {
  const database = await createDatabase()
  await database.query("CREATE TABLE precious (n int)")
  const url = parseDatabaseUrl(database.url)
  const shadowUrl = parseDatabaseUrl(`${database.url}?application_name=shadow`)
  await expect(openScratchDatabase({ url, shadowUrl })).rejects.toMatchObject({ code: "L1405" })
  expect(await database.query("SELECT * FROM precious")).toEqual([])
})

test("a role that may not create databases gets an error that names what to do", async () => {
  const database = await createDatabase()
  const role = `plain_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const address = new URL(database.url)
  address.username = role
  address.password = "x"
  try {
    await expect(openScratchDatabase({ url: parseDatabaseUrl(address.href) })).rejects.toMatchObject({
      code: "L1404",
      details: { sqlstate: "42501", next: expect.stringContaining("CREATEDB") },
    })
  } finally {
    await database.query(`DROP ROLE ${role}`)
  }
})
