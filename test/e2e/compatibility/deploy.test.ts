import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { createDatabase, type TestDatabase } from "../../support/postgres.js"
import { catalogOf, exampleHistory, historyOf, lockstepSide, prefix, prismaSide, rowsOf, tableOf } from "./sides.js"

const history = exampleHistory()
const all = history.migrations.map(({ name }) => name)
const nothing = { pending: [], failed: [], edited: [] }

describe("the example's history, whoever applies which part of it", () => {
  let reference: TestDatabase
  let rows: Awaited<ReturnType<typeof rowsOf>>
  let catalog: Awaited<ReturnType<typeof catalogOf>>
  beforeAll(async () => {
    reference = await createDatabase()
    expect(await prismaSide.deploy(reference, history)).toEqual(all)
    rows = await rowsOf(reference)
    catalog = await catalogOf(reference)
  })
  afterAll(() => reference?.drop())

  const orders = [
    { name: "Prisma, then Lockstep", first: prismaSide, second: lockstepSide },
    { name: "Lockstep, then Prisma", first: lockstepSide, second: prismaSide },
  ]
  const cases = orders.flatMap((order) => [...all.keys(), all.length].map((count) => ({ ...order, count })))

  test.each(cases)("$name after $count of them: equal schemas and equal rows", async ({ first, second, count }) => {
    const database = await createDatabase()
    await first.deploy(database, prefix(history, count))
    for (const side of [lockstepSide, prismaSide])
      expect(await side.status(database, history)).toEqual({ ...nothing, pending: all.slice(count) })
    expect(await second.deploy(database, history)).toEqual(all.slice(count))
    for (const side of [lockstepSide, prismaSide]) {
      expect(await side.status(database, history)).toEqual(nothing)
      expect(await side.deploy(database, history)).toEqual([])
    }
    expect(await rowsOf(database)).toEqual(rows)
    expect(await catalogOf(database)).toEqual(catalog)
  })

  test("the history table itself is the same, to the letter", async () => {
    const database = await createDatabase()
    await lockstepSide.deploy(database, history)
    expect(await tableOf(database)).toEqual(await tableOf(reference))
  })
})

describe("checksums", () => {
  const unix = "CREATE TABLE a ();\nCREATE TABLE b ();\n"
  const contents = {
    "Unix line ends": unix,
    "Windows line ends": unix.replaceAll("\n", "\r\n"),
    "mixed line ends": unix.replace("\n", "\r\n"),
    "no statement": "-- nothing yet\n",
    "nothing at all": "",
    "characters of every length": "SELECT 'ä€😀';\n",
  }

  test.each(Object.entries(contents))("of %s are the same", async (_, sql) => {
    const folder = historyOf({ "20260101000000_a": sql })
    const [ours, theirs] = [await createDatabase(), await createDatabase()]
    await lockstepSide.deploy(ours, folder)
    await prismaSide.deploy(theirs, folder)
    expect(await rowsOf(ours)).toEqual(await rowsOf(theirs))
  })

  const texts = Object.values(contents).slice(0, 3)
  const pairs = texts.flatMap((recorded) => texts.map((now) => [recorded, now] as const))
  test.each(pairs)("recorded of %j, the file now %j: both see an edit, or neither does", async (recorded, now) => {
    const database = await createDatabase()
    await lockstepSide.deploy(database, historyOf({ "20260101000000_a": recorded }))
    const folder = historyOf({ "20260101000000_a": now })
    expect(await lockstepSide.status(database, folder)).toEqual(await prismaSide.status(database, folder))
  })

  test("a byte order mark counts for both; PostgreSQL refuses it from Prisma, Lockstep leaves it out", async () => {
    const folder = historyOf({ "20260101000000_a": "\uFEFFCREATE TABLE a ();\n" })
    const [ours, theirs] = [await createDatabase(), await createDatabase()]
    expect(await lockstepSide.deploy(ours, folder)).toEqual(["20260101000000_a"])
    expect(await prismaSide.deploy(theirs, folder)).toMatch(/syntax error/)
    expect((await rowsOf(ours))[0]?.checksum).toBe((await rowsOf(theirs))[0]?.checksum)
    expect(await prismaSide.status(ours, folder)).toEqual(nothing)
    const without = historyOf({ "20260101000000_a": "CREATE TABLE a ();\n" })
    expect(await lockstepSide.status(ours, without)).toEqual({ ...nothing, edited: ["20260101000000_a"] })
    expect(await prismaSide.status(ours, without)).toEqual({ ...nothing, edited: ["20260101000000_a"] })
  })
})

test("both refuse a database that is not empty and has no history", async () => {
  const database = await createDatabase()
  await database.query("CREATE TABLE existing ()")
  expect(await lockstepSide.deploy(database, history)).toBe("L1103")
  expect(await prismaSide.deploy(database, history)).toBe("P3005")
})
