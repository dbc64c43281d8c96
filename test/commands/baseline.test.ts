import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { init, migrations, openShop, orders, scratchDatabasesLeftOn } from "../support/shop.js"

const everything = Object.values(migrations).join("")

test("a database that was there before its history adopts it", async () => {
  const { run, database } = await openShop()
  await database.query(everything)
  expect(await run("deploy")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("lockstep baseline") })
  const { stdout, exitCode } = await run("baseline")
  expect({ stdout, exitCode }).toEqual({ stdout: "2 of 2 migrations recorded as applied.", exitCode: 0 })
  expect((await run("status")).stdout).toBe("Up to date: 2 of 2 migrations applied.")
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
  expect(await run("baseline")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("has a history already") })
})

test("--up-to names the last one that it holds; the others stay pending", async () => {
  const { run, database } = await openShop()
  await database.query(migrations[init])
  const { stdout } = await run("baseline", "--up-to", init, "--json")
  expect(objectsIn(stdout)).toEqual([{ schema: "lockstep.baseline/1", recorded: [init] }])
  expect((await run("deploy")).stdout).toContain("1 applied")
})

test("a database that is something else adopts nothing unless that is accepted", async () => {
  const { run, database } = await openShop()
  await database.query(`${migrations[init]} ALTER TABLE "User" ADD COLUMN nick TEXT`)
  const { stderr, exitCode } = await run("baseline")
  expect(stderr).toContain("error[L1031]: the database is not what these migrations make")
  expect(stderr).toMatch(/Order|nick/)
  expect(exitCode).toBe(1)
  expect(await database.query("SELECT to_regclass('_prisma_migrations') AS history")).toEqual([{ history: null }])
  expect((await run("baseline", "--accept-drift")).exitCode).toBe(0)
})

test("a name that is not in the folder is refused", async () => {
  const { run } = await openShop()
  expect(await run("baseline", "--up-to", `${orders}_`)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("error[L1107]"),
  })
})
