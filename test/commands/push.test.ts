import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { narrowSchema, openShop, schema } from "../support/shop.js"

test("the database matches the schema afterwards, without a history, and it is said that this is the legacy way", async () => {
  const { run, database } = await openShop()
  const first = await run("push")
  expect(first.exitCode).toBe(0)
  expect(first.stderr).toContain("push is the legacy way")
  expect(first.stdout).toMatch(/^Pushed in \d+ steps?\.$/)
  expect(await database.query(`SELECT to_regclass('_prisma_migrations') AS history`)).toEqual([{ history: null }])
  expect(objectsIn((await run("push", "--json")).stdout)).toMatchObject([{ state: "nothing", steps: 0 }])
})

test("what loses data is refused; accepting it needs consent where it is not the test database", async () => {
  const { run, database, project } = await openShop()
  await run("push")
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  project.write("prisma/schema.prisma", narrowSchema)
  const refused = await run("push", "--json")
  expect(objectsIn(refused.stdout)).toMatchObject([{ state: "refused", warnings: [expect.stringContaining("name")] }])
  expect(refused.exitCode).toBe(1)
  const asked = await run("push", "--accept-data-loss")
  expect(asked).toMatchObject({ stderr: expect.stringContaining("error[L1305]"), exitCode: 2 })
  expect(await database.query(`SELECT name FROM "User"`)).toEqual([{ name: "Ada" }])
  expect((await run("push", "--accept-data-loss", "--yes")).exitCode).toBe(0)
  expect(await database.query(`SELECT * FROM "User"`)).toEqual([{ id: 1 }])
})

test("what the data make impossible is named", async () => {
  const { run, database, project } = await openShop()
  await run("push")
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  project.write("prisma/schema.prisma", schema.replace("name String?", "name String?\n  email String"))
  const { stdout, stderr, exitCode } = await run("push")
  expect(stdout).toContain("Refused: nothing was changed.")
  expect(stderr).toMatch(/impossible with the existing data.*email/)
  expect(exitCode).toBe(1)
})
