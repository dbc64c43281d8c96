import { expect, test } from "vitest"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { openShadow } from "../../src/scratch/database.js"
import { withShadow } from "../../src/scratch/replay.js"
import { createDatabase, type TestDatabase } from "../postgres.js"

const exists = async (database: TestDatabase, name: string): Promise<boolean> =>
  (await database.query("SELECT FROM pg_database WHERE datname = $1", [name])).length > 0

test("a shadow is another database of the same server, and is gone afterwards", async () => {
  const database = await createDatabase()
  const { client, drop } = await openShadow(parseDatabaseUrl(database.url), undefined)
  const { rows } = await client.query<{ name: string }>("SELECT current_database() AS name")
  const name = rows[0]?.name ?? ""
  expect(name).toMatch(/^lockstep_shadow_/)
  await drop()
  await drop()
  expect(await exists(database, name)).toBe(false)
})

test("a failure does not leave it behind", async () => {
  const database = await createDatabase()
  let name = ""
  const working = withShadow({ url: parseDatabaseUrl(database.url) }, async (client) => {
    name = (await client.query<{ name: string }>("SELECT current_database() AS name")).rows[0]?.name ?? ""
    throw new Error("no")
  })
  await expect(working).rejects.toThrow("no")
  expect(await exists(database, name)).toBe(false)
})

test("one that a killed process left is dropped by the next, one in use is not", async () => {
  const database = await createDatabase()
  const url = parseDatabaseUrl(database.url)
  const stale = `lockstep_shadow_stale_${database.name}`
  await database.query(`CREATE DATABASE ${stale}`)
  const used = await openShadow(url, undefined)
  const { rows } = await used.client.query<{ name: string }>("SELECT current_database() AS name")
  await openShadow(url, undefined).then(({ drop }) => drop())
  expect(await exists(database, stale)).toBe(false)
  expect(await exists(database, rows[0]?.name ?? "")).toBe(true)
  await used.drop()
})

test("a configured shadow database is emptied before use, and kept", async () => {
  const [main, given] = [await createDatabase(), await createDatabase()]
  await given.query("CREATE TABLE left_over (n int); CREATE SCHEMA shop; CREATE TABLE shop.t (n int)")
  const { client, drop } = await openShadow(parseDatabaseUrl(main.url), parseDatabaseUrl(given.url))
  const tables = "SELECT FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
  expect((await client.query(tables)).rows).toEqual([])
  await drop()
  expect(await exists(main, given.name)).toBe(true)
})

test("the main database as its own shadow is refused, before anything is dropped", async () => {
  const database = await createDatabase()
  await database.query("CREATE TABLE precious (n int)")
  const url = parseDatabaseUrl(database.url)
  const same = parseDatabaseUrl(`${database.url}?application_name=shadow`)
  await expect(openShadow(url, same)).rejects.toMatchObject({ code: "L1405" })
  expect(await database.query("SELECT * FROM precious")).toEqual([])
})

test("a role that may not create databases is told what to do", async () => {
  const database = await createDatabase()
  const role = `plain_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`)
  const address = new URL(database.url)
  address.username = role
  address.password = "x"
  try {
    await expect(openShadow(parseDatabaseUrl(address.href), undefined)).rejects.toMatchObject({
      code: "L1404",
      details: { sqlstate: "42501", next: expect.stringContaining("CREATEDB") },
    })
  } finally {
    await database.query(`DROP ROLE ${role}`)
  }
})
