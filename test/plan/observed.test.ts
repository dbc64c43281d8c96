import pg from "pg"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { readFolder } from "../../src/history/folder.js"
import { planMigrations } from "../../src/plan/plan.js"
import type { Plan, PlannedStatement } from "../../src/plan/planned.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, serverUrl, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

const init = `
  CREATE TABLE "User" ("id" int PRIMARY KEY, "name" text, "email" text, "price" numeric(10,4), "code" varchar(10));
  CREATE TABLE "Order" ("id" int PRIMARY KEY, "userId" int CONSTRAINT "Order_userId_fkey" REFERENCES "User" ON DELETE CASCADE);
  CREATE TABLE "Payment" ("id" int PRIMARY KEY, "orderId" int REFERENCES "Order");
  CREATE TABLE "Empty" ("id" int);
  CREATE TABLE "Event" ("year" int) PARTITION BY RANGE ("year");
  CREATE TABLE "Event_1" PARTITION OF "Event" FOR VALUES FROM (1) TO (100);
  CREATE FUNCTION remove_orphans() RETURNS void LANGUAGE sql AS 'DELETE FROM "Payment"';
  CREATE FUNCTION remove_some() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM "Payment") THEN DELETE FROM "Order"; END IF; END $$;
  CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."code" := 'x'; RETURN NEW; END $$;
  CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "Empty"; RETURN NEW; END $$;
  CREATE TRIGGER touch BEFORE UPDATE ON "User" FOR EACH ROW EXECUTE FUNCTION touched();
  CREATE TRIGGER log AFTER UPDATE ON "Payment" FOR EACH ROW EXECUTE FUNCTION logged();
  CREATE VIEW "Recent" AS SELECT "id" FROM "Order";
  CREATE PROCEDURE tidy() LANGUAGE plpgsql AS 'BEGIN DELETE FROM "Empty"; COMMIT; END';`

let database: TestDatabase
let project: TestProject

beforeAll(async () => {
  database = await createDatabase()
  project = createProject({ migrations: { "1_init": init } })
  expect((await lockstep(["deploy"], { cwd: project.root, url: database.url })).exitCode).toBe(0)
  await database.query(`INSERT INTO "User" SELECT n, 'n', CASE WHEN n > 5 THEN 'e' END, 1.5, 'c' FROM generate_series(1, 500) n;
    INSERT INTO "Order" SELECT n, n FROM generate_series(1, 100) n; ANALYZE`)
})
afterAll(async () => {
  project.drop()
  await database.drop()
})

async function plan(...pending: readonly string[]): Promise<Plan> {
  const migrations = Object.fromEntries(pending.map((sql, at) => [`2_${at}`, sql]))
  const { migrationsDir, root } = createProject({ migrations: { "1_init": init, ...migrations } })
  const scratch = { root, shadowUrl: parseDatabaseUrl(serverUrl()) }
  return await planMigrations({ url: parseDatabaseUrl(database.url), folder: readFolder(migrationsDir), scratch })
}

async function statements(...pending: readonly string[]): Promise<readonly PlannedStatement[]> {
  return (await plan(...pending)).migrations.flatMap((migration) => migration.statements)
}

const only = async (sql: string) => (await statements(sql))[0]

test("what was observed has its basis, the version and the target of the sizes", async () => {
  const { basis, target, drift, migrations } = await plan(`ALTER TABLE "User" ADD COLUMN "age" int`)
  expect(basis).toEqual({ basis: "observed", version: expect.stringMatching(/^\d+/), on: expect.any(String) })
  expect(target).toContain(`/${database.name}`)
  expect(drift).toEqual({ missing: [], unexpected: [] })
  expect(migrations[0]?.statements).toMatchObject([
    {
      basis: "observed",
      work: [
        {
          ...{ table: `"User"`, lock: "ACCESS EXCLUSIVE", waits: "readers and writers", until: "end of migration" },
          ...{ rewrites: false, scans: false, costs: ["instant"], destroys: [], target: { rows: 500 } },
        },
      ],
    },
  ])
})

describe("losses", () => {
  test.each<readonly [sql: string, destroys: readonly string[]]>([
    ["SELECT remove_orphans()", [`the matching rows of "Payment"`]],
    [
      `DELETE FROM "User"`,
      [`the rows of "User"`, `the rows of "Order" that refer to them (ON DELETE CASCADE of "Order_userId_fkey")`],
    ],
    [`TRUNCATE "Order" CASCADE`, [`the rows of "Order"`, `the rows of "Payment"`]],
    [`ALTER TABLE "User" DROP COLUMN "name"`, [`column "User"."name"`]],
    [`DROP TABLE "Payment"`, [`table "Payment"`]],
    [
      `ALTER TABLE "User" ALTER COLUMN "price" TYPE integer`,
      [`digits after the decimal point (values are rounded) in "User"."price" (numeric(10,4) to integer)`],
    ],
    [`ALTER TABLE "User" ALTER COLUMN "code" TYPE varchar(20)`, []],
    [`CREATE TABLE "Fresh" ("id" int); DROP TABLE "Fresh"`, []],
    [`ALTER TABLE "User" ADD COLUMN "x" int; ALTER TABLE "User" DROP COLUMN "x"`, []],
    [`CREATE TEMP TABLE "User" ("id" int); DELETE FROM "User"`, []],
  ])("%s", async (sql, destroys) => {
    const all = (await statements(sql)).flatMap(({ work }) => work.flatMap((each) => each.destroys))
    expect([...all].sort()).toEqual([...destroys].sort())
  })
})

test("a type that needs no rewrite is instant, and nothing safer is advised", async () => {
  expect(await only(`ALTER TABLE "User" ALTER COLUMN "code" TYPE varchar(20)`)).toMatchObject({
    work: [{ rewrites: false, costs: ["instant"], safer: [], unknown: [] }],
  })
})

test("nor does it build the column's index anew, where the index can stay; where it cannot, that is said", async () => {
  const index = `CREATE UNIQUE INDEX "User_code_key" ON "User" ("code")`
  const costsOf = async (type: string) =>
    (await statements(`${index};\nALTER TABLE "User" ALTER COLUMN "code" TYPE ${type}`))[1]?.work.flatMap(
      ({ costs }) => costs,
    )
  expect(await costsOf("varchar(20)")).toEqual(["instant"])
  expect(await costsOf(`varchar(10) COLLATE "C"`)).toEqual(["builds an index under the lock"])
})

test("a lock lasts to the end of its transaction: what runs long after it is to be moved out", async () => {
  const [, update] = await statements(`ALTER TABLE "User" ADD COLUMN "x" text;\nUPDATE "User" SET "x" = 'x'`)
  expect(update?.work).toMatchObject([
    {
      ...{ lock: "ROW EXCLUSIVE", held: { lock: "ACCESS EXCLUSIVE", line: 1 }, costs: ["writes every row"] },
      safer: [
        `move line 2 to a backfill, in batches (\`lockstep backfill\`): "User" stays locked by line 1 while it runs`,
      ],
    },
  ])
})

describe("certain to fail on the rows that the target has", () => {
  test.each<readonly [sql: string, fails: readonly string[]]>([
    [
      `ALTER TABLE "User" ADD COLUMN "age" int NOT NULL`,
      [`"User"."age" is required and has no default, and "User" has rows`],
    ],
    [`ALTER TABLE "Empty" ADD COLUMN "age" int NOT NULL`, []],
    [`ALTER TABLE "User" ADD COLUMN "age" int NOT NULL DEFAULT 1`, []],
    [`ALTER TABLE "User" ALTER COLUMN "email" SET NOT NULL`, [`"User"."email" holds nulls, and is made NOT NULL`]],
    [`ALTER TABLE "User" ALTER COLUMN "name" SET NOT NULL`, []],
    [`UPDATE "User" SET "email" = 'x'; ALTER TABLE "User" ALTER COLUMN "email" SET NOT NULL`, []],
    [
      `DO $$ BEGIN ALTER TABLE "User" ALTER "email" SET NOT NULL; END $$`,
      [`"User"."email" holds nulls, and is made NOT NULL`],
    ],
  ])("%s", async (sql, fails) => {
    expect((await statements(sql)).flatMap(({ work }) => work.flatMap((each) => each.fails))).toEqual(fails)
  })
})

describe("what depends on rows is not known", () => {
  test.each<readonly [sql: string, what: string]>([
    ["SELECT remove_some()", "what public.remove_some() does depends on the rows"],
    [`DO $$ BEGIN IF true THEN DELETE FROM "Empty"; END IF; END $$`, "what the DO block does depends on the rows"],
    [`UPDATE "Payment" SET "orderId" = 1`, `what the trigger "log" of "Payment" does depends on the rows`],
  ])("%s", async (sql, what) => {
    const unknown = (await only(sql))?.work.flatMap((each) => each.unknown)
    expect(unknown).toEqual([expect.stringContaining(what)])
  })

  test("a trigger that only changes its row, and code without a condition, are known", async () => {
    const all = await statements(`UPDATE "User" SET "name" = 'x'; DO $$ BEGIN DELETE FROM "Empty"; END $$`)
    expect(all.flatMap(({ work }) => work.flatMap((each) => each.unknown))).toEqual([])
  })
})

test("what PostgreSQL refuses is named, and what follows it is estimated", async () => {
  const all = await statements(
    `ALTER TABLE "User" ADD COLUMN "x" int; DROP TABLE "Nope"; DELETE FROM "User"`,
    "SELECT 1",
  )
  expect(all.map(({ basis, refused }) => [basis, refused])).toEqual([
    ["observed", undefined],
    ["estimated", 'table "Nope" does not exist'],
    ["estimated", undefined],
    ["estimated", undefined],
  ])
})

test("a procedure that commits is run outside of a transaction, as by a deploy", async () => {
  expect(await only("CALL tidy()")).toMatchObject({
    work: [{ table: `"Empty"`, writes: ["delete"] }],
    refused: undefined,
  })
})

test("CONCURRENTLY is not advised where it is not possible", async () => {
  const [statement] = await statements(`CREATE INDEX "i" ON "Event" ("year")`)
  expect(statement?.work.find(({ table }) => table === `"Event"`)?.safer.join()).not.toMatch(
    /^CREATE INDEX CONCURRENTLY/,
  )
  expect((await only(`CREATE INDEX "i" ON "User" ("name")`))?.work[0]?.safer).toEqual([
    "CREATE INDEX CONCURRENTLY, alone in its own migration",
  ])
})

test("what hangs on a table comes from the target", async () => {
  expect(
    (await only(`DROP TABLE "Order" CASCADE`))?.work.find(({ table }) => table === `"Order"`)?.target,
  ).toMatchObject({
    dependents: [`foreign key "Payment_orderId_fkey" of "Payment"`, `view "Recent"`],
  })
})

test("a renamed table keeps its size, under its new name", async () => {
  expect(await statements(`ALTER TABLE "User" RENAME TO "Person"; DELETE FROM "Person" WHERE "id" = 1`)).toMatchObject([
    {},
    {
      work: expect.arrayContaining([
        expect.objectContaining({ table: `"Person"`, target: expect.objectContaining({ rows: 500 }) }),
      ]),
    },
  ])
})

test("drift between the target and its history is in the plan", async () => {
  const own = await createDatabase()
  await lockstep(["deploy"], { cwd: project.root, url: own.url })
  await own.query(`CREATE TABLE "ByHand" ("id" int); DROP VIEW "Recent"`)
  const { migrationsDir, root } = createProject({ migrations: { "1_init": init, "2_a": "SELECT 1" } })
  const scratch = { root, shadowUrl: parseDatabaseUrl(serverUrl()) }
  const { drift } = await planMigrations({ url: parseDatabaseUrl(own.url), folder: readFolder(migrationsDir), scratch })
  expect(drift).toMatchObject({
    missing: [expect.stringContaining(`view public."Recent"`)],
    unexpected: [
      expect.stringContaining(`column public."ByHand".id`),
      expect.stringContaining(`table public."ByHand"`),
    ],
  })
})

test("an extension that the scratch server lacks makes the plan an estimate that says so", async () => {
  const { basis } = await plan("CREATE EXTENSION vector")
  expect(basis).toMatchObject({
    basis: "estimated",
    why: 'the scratch server lacks the extension "vector"',
    next: expect.stringContaining("--shadow-url"),
  })
})

test("a plan does not wait for a table that somebody holds: sizes and drift are then not known", async () => {
  const holder = new pg.Client(database.url)
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query(`BEGIN; LOCK TABLE "Order"`)
  const { drift, migrations } = await plan(`ALTER TABLE "Order" ADD COLUMN "x" int`)
  expect(drift).toBeUndefined()
  expect(migrations[0]?.statements[0]?.work[0]?.target).toMatchObject({ rows: 100, bytes: undefined })
})

test("a role that exists on the target alone is named, with what to do", async () => {
  const { basis } = await plan(`GRANT SELECT ON "User" TO nobody_has_this_role`)
  expect(basis).toMatchObject({
    why: 'the scratch server lacks the role "nobody_has_this_role"',
    next: expect.stringContaining("CREATE ROLE"),
  })
})

test("the target is only read", async () => {
  await plan(`DROP TABLE "Payment"`)
  expect(await database.query(`SELECT to_regclass('"Payment"') IS NOT NULL AS there`)).toEqual([{ there: true }])
})
