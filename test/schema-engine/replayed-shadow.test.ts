import type { SqlDriverAdapter } from "@prisma/driver-adapter-utils"
import { afterEach, beforeEach, expect, test } from "vitest"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { type ReplayedShadows, replayedShadows } from "../../src/schema-engine/replayed-shadow.js"
import { createDatabase } from "../postgres.js"

let shadows: ReplayedShadows
beforeEach(async () => {
  const database = await createDatabase()
  shadows = replayedShadows(parseDatabaseUrl(database.url), undefined)
})
afterEach(() => shadows.close())

const a = "CREATE TABLE a (n int)"
const b = "CREATE TABLE b (n int)"
const c = "CREATE TABLE c (n int)"

/** The tables in a shadow, and the database's name. */
async function look(adapter: SqlDriverAdapter): Promise<{ tables: unknown; name: unknown }> {
  const sql =
    "SELECT current_database(), (SELECT string_agg(tablename, ' ' ORDER BY 1) FROM pg_tables WHERE schemaname = 'public')"
  const { rows } = await adapter.queryRaw({ sql, args: [], argTypes: [] })
  return { name: rows[0]?.[0], tables: rows[0]?.[1] }
}

/** Replays as the engine does: scripts, a look, the end. */
async function replay(...scripts: readonly string[]) {
  const adapter = await shadows.connect()
  for (const script of scripts) await adapter.executeScript(script)
  const seen = await look(adapter)
  await adapter.dispose()
  return seen
}

test("the same history again, and a longer one, go on in the same database", async () => {
  const first = await replay(a)
  expect(first.tables).toBe("a")
  expect(await replay(a)).toEqual(first)
  expect(await replay(a, b)).toEqual({ name: first.name, tables: "a b" })
})

test("a shorter, another, and an empty history are seen as they are", async () => {
  await replay(a, b)
  expect((await replay(a)).tables).toBe("a")
  expect((await replay(a, c)).tables).toBe("a c")
  expect((await replay(b)).tables).toBe("b")
  expect((await replay()).tables).toBeNull()
})

test("two at a time are two databases", async () => {
  const [one, other] = [await shadows.connect(), await shadows.connect()]
  await one.executeScript(a)
  expect((await look(other)).tables).toBeNull()
  expect((await look(one)).tables).toBe("a")
})

test("what failed, or was changed otherwise, is not built upon", async () => {
  const failed = await shadows.connect()
  await expect(failed.executeScript("SELECT nothing")).rejects.toThrow("nothing")
  await failed.dispose()
  const changed = await shadows.connect()
  await changed.executeRaw({ sql: b, args: [], argTypes: [] })
  await changed.dispose()
  expect((await replay(a)).tables).toBe("a")
})
