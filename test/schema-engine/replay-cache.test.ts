import type { SqlDriverAdapter } from "@prisma/driver-adapter-utils"
import { afterEach, beforeEach, expect, test } from "vitest"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { type ReplayCache, replayCache } from "../../src/schema-engine/adapter-factory.js"
import { keepHistory, withHistory } from "../../src/scratch/history.js"
import { withReplayed } from "../../src/scratch/replay.js"
import { createDatabase } from "../support/postgres.js"

let replays: ReplayCache
beforeEach(async () => {
  const database = await createDatabase()
  replays = replayCache({ url: parseDatabaseUrl(database.url) })
})
afterEach(() => replays.close())

const a = "CREATE TABLE a (n int)"
const b = "CREATE TABLE b (n int)"
const c = "CREATE TABLE c (n int)"

/** The tables in a scratch database, and its name. */
async function look(adapter: SqlDriverAdapter): Promise<{ tables: unknown; name: unknown }> {
  const sql =
    "SELECT current_database(), (SELECT string_agg(tablename, ' ' ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public')"
  const { rows } = await adapter.queryRaw({ sql, args: [], argTypes: [] })
  return { name: rows[0]?.[0], tables: rows[0]?.[1] }
}

/** Replays as the engine does: scripts, a look, the end. */
async function replay(...scripts: readonly string[]) {
  const adapter = await replays.connect()
  for (const script of scripts) await adapter.executeScript(script)
  const seen = await look(adapter)
  await adapter.dispose()
  return seen
}

test("the same history again, and a longer one, are replayed in the same database", async () => {
  const first = await replay(a)
  expect(first.tables).toBe("a")
  expect(await replay(a)).toEqual(first)
  expect(await replay(a, b)).toEqual({ name: first.name, tables: "a b" })
})

test("a shorter, another and an empty history get a database that holds no more than they made", async () => {
  await replay(a, b)
  expect((await replay(a)).tables).toBe("a")
  expect((await replay(a, c)).tables).toBe("a c")
  expect((await replay(b)).tables).toBe("b")
  expect((await replay()).tables).toBeNull()
})

test("two at a time get two databases", async () => {
  const [one, other] = [await replays.connect(), await replays.connect()]
  await one.executeScript(a)
  expect((await look(other)).tables).toBeNull()
  expect((await look(one)).tables).toBe("a")
})

test("a database in which a script failed, or that was changed otherwise, is not used again", async () => {
  const failed = await replays.connect()
  await expect(failed.executeScript("SELECT nothing")).rejects.toThrow("nothing")
  await failed.dispose()
  const changed = await replays.connect()
  await changed.executeRaw({ sql: b, args: [], argTypes: [] })
  await changed.dispose()
  expect((await replay(a)).tables).toBe("a")
})

test("a history that is replayed already is where it begins, and where a longer one is taken back to it", async () => {
  const { url } = await createDatabase()
  const setting = { url: parseDatabaseUrl(url) }
  const history = await keepHistory({ ...setting, schema: "public" }, [
    { name: "a", sql: `${a}; CREATE TABLE kept ()` },
  ])
  const [kept = ""] = history.scripts
  await replays.close()
  replays = replayCache({ ...setting, history })
  expect((await replay(kept, b)).tables).toBe("a b kept")
  expect((await replay(kept, c)).tables).toBe("a c kept")
  expect((await replay(kept)).tables).toBe("a kept")
  expect((await replay(a)).tables).toBe("a")
})

test("a history that a test server keeps is read where it is, and what follows it runs in a copy", async () => {
  const { url, name } = await createDatabase()
  const steps = [{ name, sql: `${a}; ${"CREATE TABLE IF NOT EXISTS a (n int);".repeat(1000)}` }]
  const [{ sql: kept } = { sql: "" }] = steps
  await withHistory({ url: parseDatabaseUrl(url), isTestServer: true }, steps, async (setting) => {
    replays = replayCache(setting)
    const read = await replay(kept)
    expect(read).toEqual({ name: expect.stringMatching(/^lockstep_template_/), tables: "a" })
    expect(await replay(kept)).toEqual(read)
    expect(await replay(kept, b)).toEqual({ name: expect.stringMatching(/^lockstep_scratch_/), tables: "a b" })
    expect(await replay(kept)).toEqual(read)
    // Nothing holds it that would keep others from copying it.
    await withReplayed(setting, steps, async ({ client }) => await client.query(c))
    const changed = await replays.connect()
    await changed.executeScript(kept)
    await changed.executeRaw({ sql: b, args: [], argTypes: [] })
    expect(await look(changed)).toEqual({ name: expect.stringMatching(/^lockstep_scratch_/), tables: "a b" })
    await changed.dispose()
    expect(await replay(kept)).toEqual(read)
  })
})

test("what was read is not read again until a script changes it", async () => {
  const moment = async (...scripts: readonly string[]) => {
    const adapter = await replays.connect()
    for (const script of scripts) await adapter.executeScript(script)
    const read = async (sql: string) => (await adapter.queryRaw({ sql, args: [], argTypes: [] })).rows
    const first = await read("SELECT clock_timestamp()")
    expect(await read("SELECT clock_timestamp()")).toEqual(first)
    expect(await read("SELECT clock_timestamp(), 1")).not.toEqual(first)
    await adapter.dispose()
    return first
  }
  const first = await moment(a)
  expect(await moment(a)).toEqual(first)
  expect(await moment(a, b)).not.toEqual(first)
  expect(await moment(a)).not.toEqual(first)
})
