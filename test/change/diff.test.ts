import { expect, test } from "vitest"
import { diff, type Side } from "../../src/change/diff.js"
import { createPlace, schemaOf } from "../schema-engine/setting.js"

const init = `CREATE TABLE "User" ("id" INTEGER NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));`
const named = `ALTER TABLE "User" ADD COLUMN "name" TEXT;`
const migrations = { "20260101000000_init": init, "20260102000000_name": named }

test("any two states can be compared: history, a part of it, database, schema and nothing", async () => {
  const place = await createPlace(migrations)
  await place.database.query(init)
  const schemaFiles = schemaOf("model User {\n  id Int @id\n  name String?\n}\n")
  const between = async (from: Side, to: Side): Promise<string> => {
    const input = { ...place.setting, folder: place.folder(), schemaFiles, from, to, form: "script" } as const
    const { empty, text } = await diff(input)
    return empty ? "" : text.trim()
  }
  const history: Side = { side: "history" }
  expect(await between(history, { side: "schema" })).toBe("")
  expect(await between({ side: "database" }, { side: "schema" })).toContain(`ADD COLUMN     "name" TEXT`)
  expect(await between({ side: "history", upTo: "20260101000000_init" }, { side: "database" })).toBe("")
  expect(await between(history, { side: "database" })).toContain(`DROP COLUMN "name"`)
  expect(await between({ side: "empty" }, { side: "schema" })).toContain(`CREATE TABLE "User"`)
  expect(await between({ side: "schema" }, { side: "empty" })).toContain("DROP TABLE")
  expect(await between({ side: "empty" }, { side: "empty" })).toBe("")
})

test("a summary is for people", async () => {
  const place = await createPlace(migrations)
  const sides = { from: { side: "history", upTo: "20260101000000_init" }, to: { side: "history" } } as const
  const { text } = await diff({ ...place.setting, ...sides, folder: place.folder(), form: "summary" })
  expect(text).toContain("Added column `name`")
})

test("what the engine does not see is compared in every schema that the history makes", async () => {
  const audit = `CREATE SCHEMA audit; CREATE VIEW audit.v AS SELECT 1 AS one;`
  const place = await createPlace({ ...migrations, "20260103000000_audit": audit })
  await place.apply()
  await place.database.query("CREATE SCHEMA other; CREATE VIEW other.v AS SELECT 1 AS one; DROP VIEW audit.v")
  const sides = { from: { side: "history" }, to: { side: "database" } } as const
  const { text } = await diff({ ...place.setting, ...sides, folder: place.folder(), form: "summary" })
  expect(text.trim()).toBe("[-] Removed view audit.v")
})

test("a migration that is not in the folder is refused", async () => {
  const place = await createPlace(migrations)
  const sides = { from: { side: "history", upTo: "20260103000000_x" }, to: { side: "empty" } } as const
  const comparing = diff({ ...place.setting, ...sides, folder: place.folder(), form: "summary" })
  await expect(comparing).rejects.toMatchObject({ code: "L1107" })
})
