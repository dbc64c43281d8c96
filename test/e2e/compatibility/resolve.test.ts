import { describe, expect, test } from "vitest"
import { createDatabase } from "../../support/postgres.js"
import {
  baseline,
  exampleHistory,
  historyOf,
  keepOne,
  lockstepSide,
  prismaSide,
  rowsOf,
  type Side,
  tableOf,
} from "./sides.js"

const first = "20260101000000_first"
const second = "20260102000000_second"
const broken = historyOf({
  [first]: "CREATE TABLE a (n int); INSERT INTO a VALUES (1), (1);\n",
  [second]: "SELECT nothing;\n",
})
const fixed = historyOf({
  [first]: "CREATE TABLE a (n int); INSERT INTO a VALUES (1), (1);\n",
  [second]: "SELECT 1;\n",
})
const concurrently = historyOf({
  [first]: "CREATE TABLE a (n int); INSERT INTO a VALUES (1), (1);\n",
  [second]: "CREATE UNIQUE INDEX CONCURRENTLY i ON a (n);\n",
})
const sides = { Lockstep: lockstepSide, Prisma: prismaSide }
const other = (side: Side) => (side === lockstepSide ? prismaSide : lockstepSide)
const withoutLogs = (rows: Record<string, unknown>[]) =>
  rows.map(({ logs, ...rest }) => ({ ...rest, logs: logs !== null && logs !== "" }))

test("what Prisma leaves failed stops both, and both say that it failed", async () => {
  const database = await createDatabase()
  await prismaSide.deploy(database, broken)
  for (const side of [lockstepSide, prismaSide])
    expect(await side.status(database, broken)).toEqual({ pending: [], failed: [second], edited: [] })
  expect(await lockstepSide.deploy(database, broken)).toBe("L1104")
  expect(await prismaSide.deploy(database, broken)).toBe("P3009")
})

test("what Lockstep leaves failed, outside of a transaction, is a failed row as Prisma writes it", async () => {
  const [ours, theirs] = [await createDatabase(), await createDatabase()]
  expect(await lockstepSide.deploy(ours, concurrently)).toBe("L1015")
  await prismaSide.deploy(theirs, concurrently)
  expect(withoutLogs(await rowsOf(ours))).toEqual(withoutLogs(await rowsOf(theirs)))
  expect(await prismaSide.deploy(ours, concurrently)).toBe("P3009")
})

test("a transactional failure leaves a row with Prisma, nothing with Lockstep: Prisma then goes on", async () => {
  const database = await createDatabase()
  expect(await lockstepSide.deploy(database, broken)).toBe("L1012")
  expect(await rowsOf(database)).toHaveLength(1)
  expect(await prismaSide.deploy(database, fixed)).toEqual([second])
})

describe.each(Object.entries(sides))("what %s resolves, the other continues from", (_, side) => {
  test("rolled back", async () => {
    const database = await createDatabase()
    await prismaSide.deploy(database, broken)
    await side.resolveRolledBack(database, broken, second)
    await side.resolveRolledBack(database, broken, second)
    expect(await other(side).deploy(database, fixed)).toEqual([second])
    for (const each of [lockstepSide, prismaSide])
      expect(await each.status(database, fixed)).toEqual({ pending: [], failed: [], edited: [] })
  })

  test("applied", async () => {
    const database = await createDatabase()
    await prismaSide.deploy(database, broken)
    await side.resolveApplied(database, broken, second)
    expect(await other(side).deploy(database, broken)).toEqual([])
    expect(await other(side).status(database, broken)).toEqual({ pending: [], failed: [], edited: [] })
  })
})

describe("both write the same rows for", () => {
  async function rowsAfter(side: Side, work: (database: Awaited<ReturnType<typeof createDatabase>>) => Promise<void>) {
    const database = await createDatabase()
    await prismaSide.deploy(database, broken)
    await work(database)
    expect(await side.status(database, broken)).toEqual(await other(side).status(database, broken))
    return await rowsOf(database)
  }
  const both = async (work: (side: Side) => Parameters<typeof rowsAfter>[1]) => {
    const ours = await rowsAfter(lockstepSide, work(lockstepSide))
    expect(ours).toEqual(await rowsAfter(prismaSide, work(prismaSide)))
    return ours
  }

  test("rolled back", async () => {
    const rows = await both((side) => (database) => side.resolveRolledBack(database, broken, second))
    expect(rows.at(-1)).toMatchObject({ finished: false, rolled_back: true })
  })

  test("applied after a failure: the failed row rolled back, a new one", async () => {
    const rows = await both((side) => (database) => side.resolveApplied(database, broken, second))
    expect(rows.slice(-2)).toMatchObject([
      { finished: false, rolled_back: true },
      { finished: true, at_once: true, applied_steps_count: 0, logs: "" },
    ])
  })

  test("a migration that is fixed and applied after it was rolled back", async () => {
    await both((side) => async (database) => {
      await side.resolveRolledBack(database, broken, second)
      await side.deploy(database, fixed)
    })
  })
})

test("the row that is kept of two is the one that Prisma counts, too", async () => {
  const database = await createDatabase()
  await lockstepSide.deploy(database, fixed)
  await database.query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count) VALUES ('again', 'edited', '${second}', now(), 1)`,
  )
  await keepOne(database, second)
  for (const side of [lockstepSide, prismaSide]) {
    expect(await side.status(database, fixed)).toEqual({ pending: [], failed: [], edited: [] })
    expect(await side.deploy(database, fixed)).toEqual([])
  }
})

test("a baseline is what Prisma's resolve --applied makes of every migration, the table too", async () => {
  const history = exampleHistory()
  const [ours, theirs] = [await createDatabase(), await createDatabase()]
  await baseline(ours, history)
  for (const { name } of history.migrations) await prismaSide.resolveApplied(theirs, history, name)
  expect(await rowsOf(ours)).toEqual(await rowsOf(theirs))
  expect(await tableOf(ours)).toEqual(await tableOf(theirs))
})
