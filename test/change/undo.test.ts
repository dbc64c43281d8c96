import { expect, test } from "vitest"
import { writeMigration } from "../../src/change/migration-file.js"
import { type Undo, undo } from "../../src/change/undo.js"
import { describeCatalog } from "../../src/postgres/catalog.js"
import { connect } from "../../src/postgres/connect.js"
import { readCatalogs, schemasOf } from "../../src/postgres/schemas.js"
import { createPlace, type Place } from "../schema-engine/setting.js"

const init = `CREATE TABLE "User" ("id" INTEGER NOT NULL, "name" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE VIEW "Names" AS SELECT "name" FROM "User";`

async function undone(place: Place, name?: string): Promise<Undo> {
  const made = await undo({ ...place.setting, folder: place.folder(), name })
  if (made.state === "nothing") throw new Error("nothing to undo")
  return made
}

async function catalogOf(place: Place): Promise<readonly string[]> {
  const client = await connect(place.setting.url)
  return await describeCatalog(client, place.setting.url.schema).finally(() => client.end())
}

test.each([
  ["a table", `CREATE TABLE "Post" ("id" INTEGER PRIMARY KEY, "userId" INTEGER REFERENCES "User"("id"));`],
  ["a column", `ALTER TABLE "User" ADD COLUMN "age" INTEGER NOT NULL DEFAULT 1;`],
  ["a dropped view", `DROP VIEW "Names";`],
  ["a changed view", `CREATE OR REPLACE VIEW "Names" AS SELECT upper("name") AS "name" FROM "User";`],
  ["views on views", `CREATE VIEW a AS SELECT * FROM "Names"; CREATE VIEW b AS SELECT * FROM a;`],
  ["a materialized view", `CREATE MATERIALIZED VIEW m AS SELECT count(*) FROM "User";`],
  [
    "a trigger with its function",
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
     CREATE TRIGGER t BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION f();`,
  ],
  ["a check", `ALTER TABLE "User" ADD CONSTRAINT "name_given" CHECK ("name" <> '');`],
  ["an index on an expression", `CREATE INDEX "User_lower" ON "User" (lower("name")) WHERE "id" > 0;`],
  ["an index built concurrently", `CREATE INDEX CONCURRENTLY "User_name_idx" ON "User" ("name");`],
  ["an enum and a domain", `CREATE TYPE e AS ENUM ('a'); CREATE DOMAIN d AS text;`],
])("%s is undone: the undo, applied, gives the schema from before", async (_, sql) => {
  const place = await createPlace({ "20260101000000_init": init })
  await place.apply()
  const before = await catalogOf(place)
  place.project.migration("20260102000000_change", sql)
  await place.apply()
  expect(await catalogOf(place)).not.toEqual(before)
  const made = await undone(place)
  expect(made).toMatchObject({ undoes: ["20260102000000_change"], byHand: [] })
  expect(made.name).toMatch(/^\d{14}_undo_change$/)
  await writeMigration(place.project.migrationsDir, made.name, made.sql)
  await place.apply()
  expect(await catalogOf(place)).toEqual(before)
})

test.each([
  [
    "a new schema with a table",
    `CREATE SCHEMA IF NOT EXISTS "audit"; CREATE TABLE "audit"."Log" ("id" INTEGER PRIMARY KEY, "userId" INTEGER REFERENCES "User"("id"));`,
  ],
  [
    "a column in another schema",
    `ALTER TABLE "shop"."Item" ADD COLUMN "price" INTEGER; ALTER TABLE "User" ADD COLUMN "age" INTEGER;`,
  ],
  ["a view in another schema", `CREATE VIEW "shop"."Names" AS SELECT "id" FROM "shop"."Item";`],
  ["a dropped schema", `DROP SCHEMA "shop" CASCADE;`],
])("%s is undone, in every schema", async (_, sql) => {
  const shop =
    'CREATE SCHEMA "shop"; CREATE TABLE "shop"."Item" ("id" INTEGER NOT NULL, CONSTRAINT "Item_pkey" PRIMARY KEY ("id"));'
  const place = await createPlace({ "20260101000000_init": `${init} ${shop}` })
  await place.apply()
  const everything = async () => {
    const client = await connect(place.setting.url)
    const schemas = await schemasOf(client, "public")
    return { schemas, objects: await readCatalogs(client, schemas).finally(() => client.end()) }
  }
  const before = await everything()
  place.project.migration("20260102000000_change", sql)
  await place.apply()
  const made = await undone(place)
  expect(made).toMatchObject({ undoes: ["20260102000000_change"], byHand: [] })
  await writeMigration(place.project.migrationsDir, made.name, made.sql)
  await place.apply()
  expect(await everything()).toEqual(before)
})

const people = `CREATE TYPE "Role" AS ENUM ('ADMIN', 'USER');
CREATE TABLE "User" ("id" SERIAL, "name" TEXT, "role" "Role" DEFAULT 'USER', CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE INDEX "User_name_idx" ON "User" ("name");
CREATE VIEW "Names" AS SELECT "name" FROM "User";`

test.each([
  ["of a column", `ALTER TABLE "User" RENAME COLUMN "name" TO "fullName";`],
  ["of a table, by code", `DO $$ BEGIN EXECUTE 'ALTER TABLE "User" RENAME TO "Account"'; END $$;`],
  ["of an enum and a value", `ALTER TYPE "Role" RENAME VALUE 'USER' TO 'MEMBER'; ALTER TYPE "Role" RENAME TO "Level";`],
  [
    "of all that has a name, with other changes",
    `ALTER TABLE "User" RENAME TO "Account"; ALTER TABLE "Account" RENAME COLUMN "name" TO "fullName";
     ALTER TABLE "Account" RENAME CONSTRAINT "User_pkey" TO "Account_pkey"; ALTER INDEX "User_name_idx" RENAME TO "Account_idx";
     ALTER SEQUENCE "User_id_seq" RENAME TO "Account_id_seq"; ALTER TABLE "Account" ADD COLUMN "age" INTEGER;`,
  ],
  [
    "of two columns into each other",
    `ALTER TABLE "User" ADD COLUMN "nick" TEXT; ALTER TABLE "User" RENAME COLUMN "name" TO x; ALTER TABLE "User" RENAME COLUMN "nick" TO "name"; ALTER TABLE "User" RENAME COLUMN x TO "nick";`,
  ],
])("the undo of a rename %s is a rename: the rows stay", async (_, sql) => {
  const place = await createPlace({ "20260101000000_init": people })
  await place.apply()
  const before = await catalogOf(place)
  await place.database.query(`INSERT INTO "User" ("name", "role") VALUES ('Ada', 'USER'), ('Bob', 'ADMIN')`)
  place.project.migration("20260102000000_rename", sql)
  await place.apply()
  const made = await undone(place)
  expect(made.byHand).toEqual([])
  expect(made.losses.filter((what) => !/"age"|_lockstep_undone/.test(what))).toEqual([])
  await writeMigration(place.project.migrationsDir, made.name, made.sql)
  await place.apply()
  expect(await catalogOf(place)).toEqual(before)
  expect(await place.database.query(`SELECT "id", "name", "role"::text FROM "User" ORDER BY "id"`)).toEqual([
    { id: 1, name: "Ada", role: "USER" },
    { id: 2, name: "Bob", role: "ADMIN" },
  ])
})

test("what a cast has rounded does not come back, and what the undo's own cast rounds is lost", async () => {
  const place = await createPlace({
    "20260101000000_init": `CREATE TABLE "Order" ("id" INTEGER PRIMARY KEY, "total" DECIMAL(10,4), "tax" INTEGER);`,
    "20260102000000_cast": `ALTER TABLE "Order" ALTER COLUMN "total" TYPE INTEGER, ALTER COLUMN "tax" TYPE DECIMAL(12,2);`,
  })
  expect((await undone(place)).losses).toEqual([
    '"Order"."total" comes back as numeric(10,4) without digits after the decimal point (values are rounded), lost when it became integer',
    '"Order"."tax" from numeric(12,2) to integer: digits after the decimal point (values are rounded)',
  ])
})

test("an enum loses the value that was added, where no row uses it", async () => {
  const place = await createPlace({
    "20260101000000_init": `CREATE TYPE "Mood" AS ENUM ('SAD'); CREATE TABLE "User" ("id" INTEGER PRIMARY KEY, "mood" "Mood");`,
    "20260102000000_happy": `ALTER TYPE "Mood" ADD VALUE 'HAPPY';`,
  })
  const made = await undone(place)
  expect(made.byHand).toEqual([])
  expect(made.conditions).toContain("values are taken out of an enum: only where no row uses them")
  expect(made.sql).not.toContain("BEGIN")
})

test("a named migration is undone together with all that came after it", async () => {
  const place = await createPlace({
    "20260101000000_init": init,
    "20260102000000_age": `ALTER TABLE "User" ADD COLUMN "age" INTEGER;`,
    "20260103000000_post": `CREATE TABLE "Post" ("id" INTEGER PRIMARY KEY);`,
  })
  const made = await undone(place, "20260102000000_age")
  expect(made.undoes).toEqual(["20260102000000_age", "20260103000000_post"])
  expect(made.losses).toEqual(['column "User"."age"', 'table "Post"'])
  expect(made.sql).toContain("-- Data that does not come back:")
})

test("what the undone migration did to data for good is listed", async () => {
  const place = await createPlace({
    "20260101000000_init": init.replace(/CREATE VIEW.*/, ""),
    "20260102000000_drop": `UPDATE "User" SET "name" = ''; ALTER TABLE "User" DROP COLUMN "name";`,
  })
  expect((await undone(place)).losses).toEqual([
    'the values that an UPDATE of "User" overwrote (20260102000000_drop)',
    'column "User"."name" comes back without its data (20260102000000_drop)',
  ])
})

test("what cannot be generated is named, and the file says that it must be completed by hand", async () => {
  const place = await createPlace({
    "20260101000000_init": `CREATE TABLE "User" ("id" INTEGER PRIMARY KEY); CREATE POLICY mine ON "User" USING (id > 0);`,
    "20260102000000_drop": `DROP POLICY mine ON "User"; ALTER TABLE "User" ADD COLUMN "name" TEXT;`,
  })
  const made = await undone(place)
  expect(made.byHand).toEqual(['policy public."User".mine'])
  expect(made.sql).toContain("TO BE COMPLETED BY HAND")
  expect(made.sql).not.toContain("Verified")
})

test("SQL that fails on the history's own rows must be completed by hand, with the reason", async () => {
  const place = await createPlace({
    "20260101000000_init": `CREATE TABLE "User" ("id" INTEGER PRIMARY KEY, "name" TEXT NOT NULL); INSERT INTO "User" VALUES (1, 'Ada');`,
    "20260102000000_drop": `ALTER TABLE "User" DROP COLUMN "name";`,
  })
  const made = await undone(place)
  expect(made.byHand).toEqual([expect.stringContaining('column "name" of relation "User" contains null values')])
  expect(made.conditions).toEqual(['a required column is added to "User": only where it has no rows'])
})

test("a migration that changes no schema leaves nothing to undo", async () => {
  const place = await createPlace({ "20260101000000_init": init, "20260102000000_data": `DELETE FROM "User";` })
  const nothing = { state: "nothing", undoes: ["20260102000000_data"] }
  expect(await undo({ ...place.setting, folder: place.folder() })).toEqual(nothing)
})
