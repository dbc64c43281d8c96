import { expect, onTestFinished, test } from "vitest"
import { createMigration } from "../../src/change/create-migration.js"
import { diff } from "../../src/change/diff.js"
import { writeMigration } from "../../src/change/migration-file.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { withRelationTables } from "../../src/project/implicit-relations.js"
import { createPlace, schemaOf } from "../schema-engine/setting.js"

const users = "model User {\n  id Int @id\n  name String?\n}\n"
const init = `CREATE TABLE "User" ("id" INTEGER NOT NULL, "name" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));`

test("the first migration makes the schema, and there is nothing to do after it", async () => {
  const place = await createPlace()
  const create = () =>
    createMigration({
      ...place.setting,
      folder: place.folder(),
      schemaFiles: schemaOf(users),
      name: "init",
      whenEqual: "nothing",
    })
  const made = await create()
  expect(made).toMatchObject({ state: "new", warnings: [], unexecutable: [] })
  if (made.state !== "new") return
  expect(made.name).toMatch(/^\d{14}_init$/)
  expect(made.sql).toContain('CREATE TABLE "User"')
  await writeMigration(place.project.migrationsDir, made.name, made.sql)
  await place.apply()
  expect(await create()).toEqual({ state: "nothing" })
})

test("a relation table as Prisma 5 writes it is what its history makes already", async () => {
  const place = await createPlace()
  const related = "model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  as A[]\n}\n"
  const schemaFiles = withRelationTables(schemaOf(related))
  const create = () =>
    createMigration({ ...place.setting, folder: place.folder(), schemaFiles, name: "init", whenEqual: "nothing" })
  const made = await create()
  if (made.state !== "new") throw new Error("there is no migration")
  expect(made.sql).toContain(
    '-- CreateIndex\nCREATE UNIQUE INDEX "_AToB_AB_unique" ON "_AToB"("A", "B");\n\n-- CreateIndex\nCREATE INDEX "_AToB_B_index" ON "_AToB"("B");\n',
  )
  expect(made.sql).not.toContain("_AB_pkey")
  await writeMigration(place.project.migrationsDir, made.name, made.sql)
  await place.apply()
  expect(await create()).toEqual({ state: "nothing" })
})

test("an index with an operator class is not made anew in every migration", async () => {
  const index = 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "User_name_idx" ON "User"("name" text_pattern_ops);'
  const place = await createPlace({ "20260101000000_init": init, "20260102000000_index": index })
  await place.apply()
  const create = (ops: string, rest = "") => {
    const model = `model User {\n  id Int @id\n  name String?\n${rest}  @@index([name(ops: raw("${ops}"))], type: BTree)\n}\n`
    const input = { ...place.setting, folder: place.folder(), schemaFiles: schemaOf(model), name: "next" } as const
    return createMigration({ ...input, whenEqual: "nothing" })
  }
  expect(await create("text_pattern_ops")).toEqual({ state: "nothing" })
  expect(await create("text_pattern_ops", "  age Int?\n")).toMatchObject({
    sql: '-- AlterTable\nALTER TABLE "User" ADD COLUMN     "age" INTEGER;\n',
  })
  const another =
    'DROP INDEX "User_name_idx";\n\n-- CreateIndex\nCREATE INDEX "User_name_idx" ON "User"("name" bpchar_pattern_ops)'
  expect(await create("bpchar_pattern_ops")).toMatchObject({ sql: expect.stringContaining(another) })
})

test("a draft is returned where there is nothing to do, too", async () => {
  const place = await createPlace({ "20260101000000_init": init })
  await place.apply()
  const input = { ...place.setting, folder: place.folder(), schemaFiles: schemaOf(users), name: "by hand" } as const
  expect(await createMigration({ ...input, whenEqual: "draft" })).toMatchObject({
    state: "new",
    sql: expect.stringContaining("empty migration"),
  })
})

test("warnings and impossible steps come from the data in the database", async () => {
  const place = await createPlace({ "20260101000000_init": init })
  await place.apply()
  await place.database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  const made = await createMigration({
    ...place.setting,
    folder: place.folder(),
    schemaFiles: schemaOf("model User {\n  id Int @id\n  age Int\n}\n"),
    name: "age",
    whenEqual: "nothing",
  })
  expect(made).toMatchObject({
    warnings: [expect.stringContaining("1 non-null values")],
    unexecutable: [expect.stringContaining("required column `age`")],
  })
})

test("what is lost is read from the SQL, on an empty database as well: columns, tables, and what a cast cuts off", async () => {
  const place = await createPlace({
    "20260101000000_init": `CREATE TABLE "Order" ("id" INTEGER NOT NULL, "total" DECIMAL(10,4), "note" VARCHAR(10), "old" TEXT, CONSTRAINT "Order_pkey" PRIMARY KEY ("id"));
CREATE TABLE "Archive" ("id" INTEGER NOT NULL, "by" TEXT, "at" TEXT, CONSTRAINT "Archive_pkey" PRIMARY KEY ("id"));`,
  })
  await place.apply()
  const made = await createMigration({
    ...{ ...place.setting, folder: place.folder(), name: "narrow", whenEqual: "nothing" },
    schemaFiles: schemaOf("model Order {\n  id Int @id\n  total Int?\n  note String? @db.VarChar(20)\n}\n"),
  })
  expect(made).toMatchObject({
    losses: [
      'column "Order"."old" (0 values in this database)',
      '"Order"."total" from numeric(10,4) to integer: digits after the decimal point (values are rounded) (0 values in this database)',
      'table "Archive" (0 rows in this database)',
    ],
    candidates: [],
  })
})

test("pending migrations have to be applied first", async () => {
  const place = await createPlace({ "20260101000000_init": init })
  const creating = createMigration({
    ...place.setting,
    folder: place.folder(),
    schemaFiles: schemaOf(users),
    name: "x",
    whenEqual: "nothing",
  })
  await expect(creating).rejects.toMatchObject({ code: "L1403", details: { hint: "20260101000000_init" } })
})

test("a database that was changed by hand is refused with the difference, and left as it is", async () => {
  const place = await createPlace({ "20260101000000_init": init })
  await place.apply()
  await place.database.query(`ALTER TABLE "User" ADD COLUMN "byHand" INTEGER`)
  const creating = createMigration({
    ...place.setting,
    folder: place.folder(),
    schemaFiles: schemaOf(users),
    name: "x",
    whenEqual: "nothing",
  })
  await expect(creating).rejects.toMatchObject({
    code: "L1403",
    details: { hint: expect.stringContaining("Added column `byHand`"), next: expect.stringContaining("lockstep") },
  })
  expect(await place.database.query(`SELECT "byHand" FROM "User"`)).toEqual([])
})

test("a schema with a mistake is refused with its file and line", async () => {
  const place = await createPlace()
  const creating = createMigration({
    ...place.setting,
    folder: place.folder(),
    schemaFiles: schemaOf("model User {\n  id Foo @id\n}\n"),
    name: "x",
    whenEqual: "nothing",
  })
  await expect(creating).rejects.toMatchObject({ code: "L1401", details: { file: "prisma/schema.prisma", line: 6 } })
})

test("the URL's schema is where tables are made, on the scratch database too", async () => {
  const place = await createPlace({ "20260101000000_init": init }, "schema=shop")
  await place.apply()
  const made = await createMigration({
    ...place.setting,
    folder: place.folder(),
    schemaFiles: schemaOf(users.replace("}", "  age Int?\n}")),
    name: "age",
    whenEqual: "nothing",
  })
  expect(made).toMatchObject({ sql: expect.stringContaining('ALTER TABLE "User" ADD COLUMN     "age" INTEGER') })
})

test.each([
  [
    "an index built concurrently beside other statements",
    `CREATE TABLE t (n int);\nCREATE INDEX CONCURRENTLY i ON t (n);`,
  ],
  ["an enum value that is used at once", `CREATE TYPE m AS ENUM ('a');\nALTER TYPE m ADD VALUE 'b';\nSELECT 'b'::m;`],
  ["a search path left empty, as by pg_dump", `SELECT pg_catalog.set_config('search_path', '', false);`],
  ["its own transaction", `BEGIN;\nCREATE TABLE t (n int);\nCOMMIT;`],
])("a history with %s can be replayed", async (_, sql) => {
  const place = await createPlace({ "20260101000000_odd": sql, "20260102000000_init": init })
  const compared = diff({
    ...place.setting,
    from: { side: "history" },
    to: { side: "history", upTo: "20260102000000_init" },
    form: "summary",
    folder: place.folder(),
  })
  await expect(compared).resolves.toMatchObject({ empty: true })
})

test("no scratch database is left over, also where a replay fails", async () => {
  const place = await createPlace({ "20260101000000_bad": "SELECT nothing;" })
  const role = `creator_${place.database.name}`
  await place.database.query(`CREATE ROLE ${role} LOGIN CREATEDB PASSWORD 'x'`)
  onTestFinished(async () => void (await place.database.query(`DROP ROLE ${role}`)))
  const address = new URL(place.database.url)
  address.username = role
  address.password = "x"
  const sides = { from: { side: "history" }, to: { side: "empty" }, form: "script", folder: place.folder() } as const
  await expect(diff({ url: parseDatabaseUrl(address.href), ...sides })).rejects.toMatchObject({
    code: "L1406",
    details: { hint: expect.stringContaining('column "nothing" does not exist (42703)') },
  })
  const owned = "SELECT datname FROM pg_database WHERE datdba = $1::regrole"
  expect(await place.database.query(owned, [role])).toEqual([])
})
