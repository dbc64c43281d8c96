import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { openShop, scratchDatabasesLeftOn, widerSchema } from "../support/shop.js"

test("any two of history, schema, database and nothing, with an exit code that a script can read", async () => {
  const { run, database } = await openShop({ schema: widerSchema })
  await run("deploy")
  expect(await run("diff", "history", "database")).toMatchObject({ stdout: "No difference.", exitCode: 0 })
  expect(await run("diff", "history", "schema", "--script")).toMatchObject({
    stdout: expect.stringContaining('ALTER TABLE "User" ADD COLUMN     "age" INTEGER'),
    exitCode: 1,
  })
  const summary = await run("diff", "database", "schema")
  expect(summary.stdout).toContain("age")
  const { stdout } = await run("diff", "history@20260101", "history", "--json")
  expect(objectsIn(stdout)).toMatchObject([{ equal: false, text: expect.stringContaining("Order") }])
  expect((await run("diff", "empty", "schema", "--script")).stdout).toContain('CREATE TABLE "Order"')
  expect(await scratchDatabasesLeftOn(database)).toBe(0)
})

test.each([
  [["history"], "missing required argument"],
  [["history", "schemas"], "schemas is none of history, history@NAME, schema, database, empty"],
  [["schema@x", "database"], "schema@x is none of"],
])("wrong operands are named: %j", async (operands, message) => {
  const { run } = await openShop()
  expect(await run("diff", ...operands)).toMatchObject({ stderr: expect.stringContaining(message), exitCode: 2 })
})

test("a migration that is not there is named", async () => {
  const { run } = await openShop()
  expect(await run("diff", "history@nope", "schema")).toMatchObject({
    stderr: expect.stringContaining("there is no migration nope in the folder"),
    exitCode: 2,
  })
})
