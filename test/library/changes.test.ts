import { join } from "node:path"
import { expect, test } from "vitest"
import { diff, migrate, undo } from "../../src/index.js"
import { narrowSchema, openShop, orders, widerSchema } from "../support/shop.js"

/** A deployed shop as the library takes it. */
async function openSource(schema?: string) {
  const { project, database, run } = await openShop(schema === undefined ? {} : { schema })
  await run("deploy")
  const source = {
    url: database.url,
    migrations: project.migrationsDir,
    schema: join(project.root, "prisma/schema.prisma"),
  }
  return { project, database, source }
}

test("what the history lacks is written and applied, once", async () => {
  const { database, source } = await openSource(widerSchema)
  expect(await diff({ ...source, from: "history", to: "schema" })).toMatchObject({ equal: false, from: "history" })
  expect(await migrate({ ...source, name: "add age" })).toMatchObject({
    state: "applied",
    name: expect.stringMatching(/^\d{14}_add_age$/),
    sql: expect.stringContaining('"age"'),
  })
  expect(await database.query('SELECT "age" FROM "User"')).toEqual([])
  expect(await migrate({ ...source, name: "again" })).toEqual({ schema: "lockstep.migrate/1", state: "nothing" })
  expect(await diff({ ...source, from: "database", to: "schema" })).toMatchObject({ equal: true })
})

test("data is not lost unless that is accepted", async () => {
  const { database, source } = await openSource(narrowSchema)
  await expect(migrate({ ...source, name: "narrow" })).rejects.toMatchObject({ code: "L1410" })
  expect(await database.query('SELECT "name" FROM "User"')).toEqual([])
  expect(await migrate({ ...source, name: "narrow", acceptDataLoss: true })).toMatchObject({ state: "applied" })
})

test("the first migration of a folder without any", async () => {
  const { project, source } = await openSource()
  const empty = { ...source, migrations: join(project.root, "other") }
  await expect(undo(empty)).rejects.toMatchObject({ code: "L1106" })
  expect(await diff({ ...empty, from: "empty", to: "schema", script: true })).toMatchObject({
    text: expect.stringContaining('CREATE TABLE "Order"'),
  })
})

test("an undo is written and not applied; what does not come back is refused", async () => {
  const { database, source } = await openSource()
  await expect(undo(source)).rejects.toMatchObject({ code: "L1410" })
  const made = await undo({ ...source, name: orders.slice(0, 8), acceptDataLoss: true })
  expect(made).toMatchObject({ state: "written", undoes: [orders], sql: expect.stringContaining("DROP TABLE") })
  expect(await database.query('SELECT FROM "Order"')).toEqual([])
  await expect(undo({ ...source, name: "2026" })).rejects.toMatchObject({ code: "L1710" })
  await expect(undo({ ...source, name: "nothing" })).rejects.toMatchObject({ code: "L1107" })
})

test("what is none of the states is wrong usage", async () => {
  const { source } = await openSource()
  await expect(diff({ ...source, from: "history", to: "schemas" })).rejects.toMatchObject({ code: "L1301" })
})
