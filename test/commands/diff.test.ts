import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { migrations, openShop, scratchDatabasesLeftOn, widerSchema } from "../support/shop.js"

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

test("between history and database it sees what the engine does not, and does not count pending migrations", async () => {
  const views = `CREATE VIEW "Names" AS SELECT "name" FROM "User";
CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION touched();
CREATE POLICY mine ON "User" USING ("id" > 0);
CREATE INDEX "User_lower" ON "User" (lower("name"));
`
  const { run, database, project } = await openShop({ migrations: { ...migrations, "20260103000000_views": views } })
  await run("deploy")
  project.migration("20260104000000_later", 'ALTER TABLE "User" ADD COLUMN "later" TEXT;\n')
  const equal = await run("diff", "history", "database", "--json")
  expect(objectsIn(equal.stdout)).toMatchObject([{ equal: true, pending: ["20260104000000_later"] }])
  expect(equal.stderr).toContain("1 pending migration is not counted: 20260104000000_later")
  await database.query(`DROP TRIGGER touch ON "User"; DROP POLICY mine ON "User"; DROP INDEX "User_lower";
    CREATE OR REPLACE VIEW "Names" AS SELECT upper("name") AS "name" FROM "User"`)
  expect(await run("diff", "history", "database")).toMatchObject({
    stdout: `[-] Removed index public."User_lower"
[-] Removed policy public."User".mine
[-] Removed trigger public."User".touch
[*] Changed view public."Names"`,
    exitCode: 1,
  })
  const { stdout: script } = await run("diff", "database", "history", "--script")
  await database.query(script.replace(/^-- By hand: policy.*$/m, 'CREATE POLICY mine ON "User" USING ("id" > 0);'))
  expect(await run("diff", "history", "database")).toMatchObject({ stdout: "No difference.", exitCode: 0 })
})

test("beside a difference that the engine sees, only what it does not see is added", async () => {
  const { run, database } = await openShop()
  await run("deploy")
  await database.query(`ALTER TABLE "User" ADD COLUMN "age" INTEGER CHECK ("age" > 0); CREATE INDEX "User_age_idx" ON "User" ("age");
    CREATE TABLE "Extra" ("id" SERIAL PRIMARY KEY); CREATE VIEW "Ages" AS SELECT "age" FROM "User"`)
  const { stdout } = await run("diff", "history", "database")
  expect(stdout.match(/^\[.\] \w+ (?:constraint|index|sequence|view|table|column) .*$/gm)).toEqual([
    '[+] Added constraint public."User"."User_age_check"',
    '[+] Added view public."Ages"',
  ])
  const { stdout: script } = await run("diff", "database", "history", "--script")
  await database.query(script)
  expect(await run("diff", "history", "database")).toMatchObject({ stdout: "No difference.", exitCode: 0 })
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
