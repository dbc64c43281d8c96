import { expect, test } from "vitest"
import { push } from "../../src/change/push.js"
import { createPlace, schemaOf } from "../schema-engine/setting.js"

const wide = schemaOf("model User {\n  id Int @id\n  name String?\n}\n")
const narrow = schemaOf("model User {\n  id Int @id\n}\n")

test("a push makes the database like the schema, without a history", async () => {
  const { setting, database } = await createPlace()
  expect(await push({ ...setting, schemaFiles: wide, dataLoss: "refuse" })).toMatchObject({ state: "pushed" })
  expect(await push({ ...setting, schemaFiles: wide, dataLoss: "refuse" })).toMatchObject({ state: "nothing" })
  expect(await database.query("SELECT to_regclass('_prisma_migrations') AS history")).toEqual([{ history: null }])
})

test("a push that loses data changes nothing unless that is accepted", async () => {
  const { setting, database } = await createPlace()
  await push({ ...setting, schemaFiles: wide, dataLoss: "refuse" })
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  const refused = await push({ ...setting, schemaFiles: narrow, dataLoss: "refuse" })
  expect(refused).toMatchObject({ state: "refused", warnings: [expect.stringContaining("`name`")] })
  expect(await database.query(`SELECT "name" FROM "User"`)).toEqual([{ name: "Ada" }])
  expect(await push({ ...setting, schemaFiles: narrow, dataLoss: "accept" })).toMatchObject({ state: "pushed" })
})

test("a push that the data makes impossible is refused, whatever is accepted", async () => {
  const { setting, database } = await createPlace()
  await push({ ...setting, schemaFiles: narrow, dataLoss: "refuse" })
  await database.query(`INSERT INTO "User" VALUES (1)`)
  const required = schemaOf("model User {\n  id Int @id\n  age Int\n}\n")
  const pushed = await push({ ...setting, schemaFiles: required, dataLoss: "accept" })
  expect(pushed).toMatchObject({ state: "refused", unexecutable: [expect.stringContaining("`age`")] })
})
