import { expect, test } from "vitest"
import { parseDatabaseUrl, withDatabase } from "../../src/postgres/url.js"
import type { ScratchSetting } from "../../src/scratch/database.js"
import { withHistory } from "../../src/scratch/history.js"
import { withReplayed } from "../../src/scratch/replay.js"
import { createDatabase } from "../support/postgres.js"
import { scratchDatabasesLeftOn } from "../support/shop.js"

const few = [{ name: "moment", sql: "CREATE TABLE moment AS SELECT clock_timestamp()::text AS at" }]
const many = [...few, ...Array.from({ length: 9 }, (_, at) => ({ name: `t${at}`, sql: `CREATE TABLE t${at} ()` }))]
/** One that stands for many, as a squashed one does. */
const long = [{ name: "long", sql: `${few[0]?.sql};\n${"CREATE TABLE IF NOT EXISTS t ();\n".repeat(1000)}` }]

/** When each of two scratch databases had the history replayed. */
async function moments(setting: ScratchSetting, steps: typeof few): Promise<readonly unknown[]> {
  return await withHistory(setting, steps, async (replayed) => {
    const moment = () =>
      withReplayed(replayed, steps, async ({ client }) => (await client.query("SELECT at FROM moment")).rows[0])
    return [await moment(), await moment()]
  })
}

const place = async () => {
  const database = await createDatabase()
  return { database, url: parseDatabaseUrl(database.url) }
}

test.each([
  ["of ten migrations", many],
  ["of one that stands for many", long],
])("a history %s is replayed once for all the work, and dropped after it", async (_, steps) => {
  const { database, url } = await place()
  const [first, second] = await moments({ url }, steps)
  expect(second).toEqual(first)
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
  expect((await moments({ url }, steps))[0]).not.toEqual(first)
})

test.each([{}, { isTestServer: true }])("of work that does not need it no copy is left (%j)", async (more) => {
  const { database, url } = await place()
  const steps = [...many, { name: database.name, sql: "SELECT 1" }]
  await withHistory({ url, ...more }, steps, async () => undefined)
  await expect(withHistory({ url, ...more }, steps, () => Promise.reject(new Error("no")))).rejects.toThrow("no")
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
})

test("a short one is replayed where it is needed", async () => {
  const { url } = await place()
  const [first, second] = await moments({ url }, few)
  expect(second).not.toEqual(first)
})

test("on a test database's server it stays for the next command", async () => {
  const { database, url } = await place()
  const steps = [...many, { name: database.name, sql: "SELECT 1" }]
  const [first] = await moments({ url, isTestServer: true }, steps)
  expect(await moments({ url, isTestServer: true }, steps)).toEqual([first, first])
})

test("on a configured shadow database's server as well; a role that may create none replays it each time", async () => {
  const { url } = await place()
  const shadow = await createDatabase()
  const shadowUrl = withDatabase(url, shadow.name)
  const steps = [...many, { name: shadow.name, sql: "SELECT 1" }]
  const [first] = await moments({ url, shadowUrl }, steps)
  expect(await moments({ url, shadowUrl }, steps)).toEqual([first, first])
  const role = `humble_${shadow.name}`
  await shadow.query(`CREATE ROLE ${role} LOGIN PASSWORD 'x'; ALTER DATABASE ${shadow.name} OWNER TO ${role}`)
  const setting = { url, shadowUrl: { ...shadowUrl, user: role, password: "x" } }
  await shadow.query("ALTER SCHEMA public OWNER TO postgres")
  await expect(moments(setting, steps)).rejects.toMatchObject({
    code: "L1404",
    details: { next: expect.stringContaining(`ALTER SCHEMA public OWNER TO "${role}"`) },
  })
  await shadow.query(`ALTER SCHEMA public OWNER TO ${role}`)
  const [third, fourth] = await moments(setting, steps)
  expect(fourth).not.toEqual(third)
})
