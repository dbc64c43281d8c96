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

test("how far it is along the history it finds out by itself", async () => {
  const { run, database } = await openShop()
  await database.query(migrations[init])
  expect((await run("baseline")).stdout).toBe("1 of 2 migrations recorded as applied.")
  expect((await run("deploy")).stdout).toContain("1 applied")
})

test("migrations that change no object are recorded with it, and named", async () => {
  const data = {
    "20260103000000_fill": `UPDATE "User" SET name = '';\n`,
    "20260104000000_view": "CREATE VIEW v AS SELECT 1;\n",
  }
  const { run, database } = await openShop({ migrations: { ...migrations, ...data } })
  await database.query(everything)
  const { stdout, stderr } = await run("baseline")
  expect(stdout).toBe("3 of 4 migrations recorded as applied.")
  expect(stderr).toMatch(/cannot be seen whether they ran; they are recorded: 20260103000000_fill$/m)
})

test("a migration that changes another schema of the history is not taken for applied", async () => {
  const other = {
    "20260103000000_audit": "CREATE SCHEMA audit; CREATE TABLE audit.log (id int);\n",
    "20260104000000_note": "ALTER TABLE audit.log ADD COLUMN note text;\n",
  }
  const { run, database } = await openShop({ migrations: { ...migrations, ...other } })
  await database.query(
    `${everything} ${other["20260103000000_audit"]} CREATE SCHEMA foreign_one; CREATE TABLE foreign_one.t ()`,
  )
  expect((await run("baseline")).stdout).toBe("3 of 4 migrations recorded as applied.")
  expect((await run("deploy", "--verify", "schema")).stdout).toContain("1 applied")
})

test("an empty database has nothing to adopt", async () => {
  const { run } = await openShop()
  expect(await run("baseline")).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the database is empty") })
})

test("a history that cannot be replayed to its end is compared as far as it can be", async () => {
  const broken = { ...migrations, "20260103000000_broken": "SELECT nothing;\n" }
  const { run, database } = await openShop({ migrations: broken })
  await database.query(everything)
  expect((await run("baseline")).stdout).toBe("2 of 3 migrations recorded as applied.")
})

test("a database that is something else adopts nothing unless that is accepted; the message says what differs", async () => {
  const { run, database } = await openShop()
  await database.query(`${migrations[init]} ALTER TABLE "User" ADD COLUMN nick TEXT`)
  const { stderr, exitCode } = await run("baseline")
  expect(stderr).toContain("error[L1031]: nowhere along the history is the schema that of the database")
  expect(stderr).toContain(`After ${init} it differs least:`)
  expect(stderr).toMatch(/not from the history: {3}column .*nick/)
  expect(stderr).toContain(`baseline --up-to ${init} --accept-drift`)
  expect(exitCode).toBe(1)
  expect(await database.query("SELECT to_regclass('_prisma_migrations') AS history")).toEqual([{ history: null }])
  expect(await run("baseline", "--up-to", init)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("nick") })
  expect((await run("baseline", "--up-to", "20260101", "--accept-drift")).stdout).toContain("1 of 2")
})

test("a name that is not in the folder is refused", async () => {
  const { run } = await openShop()
  expect(await run("baseline", "--up-to", `${orders}_`)).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining("error[L1107]"),
  })
})
