import pg from "pg"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { readFolder } from "../../src/history/folder.js"
import { planMigrations } from "../../src/plan/plan.js"
import type { PlannedMigration, Work } from "../../src/plan/planned.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { renderPlan } from "../../src/report/plan.js"
import { planAnswer, planObject } from "../../src/report/plan-json.js"
import { queryOn } from "../faults/query.js"
import { ownServer } from "../faults/server.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase()
  await database.query(`
    CREATE TABLE "Order" ("id" int PRIMARY KEY, "userId" int, "legacyTotal" int, "note" text);
    CREATE INDEX "Order_note_idx" ON "Order" ("note");
    INSERT INTO "Order" SELECT n, n, n, 'x' FROM generate_series(1, 3000) n;
    CREATE TABLE "User" ("id" int PRIMARY KEY);
    CREATE TABLE "Fresh" ("id" int) WITH (autovacuum_enabled = off);
    INSERT INTO "Fresh" VALUES (1);
    CREATE TABLE "Empty" ("id" int);
    CREATE TABLE "Event" ("year" int) PARTITION BY RANGE ("year");
    CREATE TABLE "Event_1" PARTITION OF "Event" FOR VALUES FROM (1) TO (100);
    CREATE TABLE "Event_2" PARTITION OF "Event" FOR VALUES FROM (100) TO (200);
    INSERT INTO "Event" SELECT 1 + n % 199 FROM generate_series(1, 500) n;
    CREATE TABLE "Log" ("year" int) PARTITION BY RANGE ("year");
    CREATE TABLE "Log_1" PARTITION OF "Log" FOR VALUES FROM (1) TO (100);
    CREATE TABLE "Log_rest" PARTITION OF "Log" DEFAULT;
    CREATE DOMAIN percent AS int CHECK (VALUE BETWEEN 0 AND 100);
    CREATE VIEW "Recent" AS SELECT "id" FROM "Order";
    CREATE SCHEMA shop; CREATE TABLE shop."Stock" ("id" int); INSERT INTO shop."Stock" VALUES (1), (2);
    ANALYZE "Order", "User", "Event", shop."Stock"`)
})

afterAll(() => database.drop())

async function plan(migrations: Readonly<Record<string, string>>, url = database.url) {
  const { migrationsDir } = createProject({ migrations })
  return await planMigrations({ url: parseDatabaseUrl(url), folder: readFolder(migrationsDir), scratch: "none" })
}

async function planOne(sql: string): Promise<PlannedMigration> {
  const [migration] = (await plan({ "20260101000000_one": sql })).migrations
  if (migration === undefined) throw new Error("nothing is pending")
  return migration
}

async function workOf(sql: string): Promise<readonly (readonly Work[])[]> {
  return (await planOne(sql)).statements.map(({ work }) => work)
}

test("each statement has its line, and the lock and cost of what it works on", async () => {
  const sql = `ALTER TABLE "Order" ADD COLUMN "total"\n  numeric;\n\n-- fill\nUPDATE "Order" SET "total" = 1;\nALTER TABLE "Order" ALTER COLUMN "total" SET NOT NULL;\nSELECT 1`
  const { class: kind, why, statements } = await planOne(sql)
  expect([kind, why]).toEqual(["transactional", undefined])
  expect(statements).toMatchObject([
    {
      line: 1,
      text: `ALTER TABLE "Order" ADD COLUMN "total" numeric`,
      work: [{ table: `"Order"`, lock: "ACCESS EXCLUSIVE", costs: ["instant"], target: { rows: 3000 } }],
    },
    { line: 5, work: [{ lock: "ROW EXCLUSIVE", costs: ["writes every row"] }] },
    {
      line: 6,
      work: [{ scans: true, costs: ["full scan under the lock"], safer: [expect.stringContaining("NOT VALID")] }],
    },
    { line: 7, work: [] },
  ])
})

test.each([
  ["CREATE FUNCTION wipe() RETURNS void LANGUAGE sql AS ''; SELECT wipe()", "what the function wipe() does"],
  ["CREATE PROCEDURE wipe() LANGUAGE sql AS ''; CALL wipe()", "what runs is decided when it runs"],
  [`CREATE DOMAIN d AS int CHECK (VALUE > 0); ALTER TABLE "Order" ADD COLUMN x d`, "the domain d"],
  [
    `CREATE TRIGGER t BEFORE DELETE ON "Order" EXECUTE FUNCTION f(); DELETE FROM "Order"`,
    'triggers, rules or inheriting tables of "Order"',
  ],
  [`CREATE TABLE "Old" () INHERITS ("Order"); DELETE FROM "Order"`, 'triggers, rules or inheriting tables of "Order"'],
  [`CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f(); DROP TABLE "Empty"`, "event triggers"],
])("an estimate does not know what a pending migration's own code does: %s", async (sql, why) => {
  const work = (await workOf(sql)).at(-1) ?? []
  expect(work.flatMap(({ unknown }) => unknown).join()).toContain(why)
})

test("whether a column of a domain has the table written anew is not known to an estimate", async () => {
  const [work = []] = await workOf(`ALTER TABLE "Order" ADD COLUMN "vat" percent DEFAULT 5`)
  expect(work[0]).toMatchObject({ table: `"Order"`, rewrites: "depends", costs: ["may rewrite the table"] })
})

test.each([
  [`CREATE TABLE "Log_2" PARTITION OF "Log" FOR VALUES FROM (100) TO (200)`, ["full scan under the lock"]],
  [
    `CREATE TABLE "Log_2" ("year" int); ALTER TABLE "Log" ATTACH PARTITION "Log_2" FOR VALUES FROM (100) TO (200)`,
    ["full scan under the lock"],
  ],
  [`ALTER TABLE "Log" DETACH PARTITION "Log_1"`, ["instant"]],
])("an estimate sees that a default partition is locked as well: %s", async (sql, costs) => {
  const work = (await workOf(sql)).at(-1) ?? []
  expect(work.filter(({ table }) => table === `"Log_rest"`)).toMatchObject([
    { lock: "ACCESS EXCLUSIVE", costs, target: { state: "existing" } },
  ])
})

test("a size counts the indexes, as pg_total_relation_size does", async () => {
  const [row] = await database.query(`SELECT pg_total_relation_size('"Order"') AS bytes`)
  const bytes = Number(row?.bytes)
  expect(await workOf(`TRUNCATE "Order"`)).toMatchObject([[{ target: { state: "existing", kind: "table", bytes } }]])
})

test.each([
  ["never analysed", `TRUNCATE "Fresh"`, { kind: "table", rows: undefined, bytes: 8192 }],
  ["without a page", `TRUNCATE "Empty"`, { kind: "table", rows: 0, bytes: 0 }],
  [
    "partitioned",
    `ALTER TABLE "Event" ADD COLUMN "x" int`,
    { kind: "partitioned table", rows: 500, bytes: expect.any(Number) },
  ],
  ["one partition", `TRUNCATE "Event_1"`, { kind: "table", rows: expect.any(Number) }],
  [
    "a view",
    `CREATE OR REPLACE VIEW "Recent" AS SELECT 1 AS "id"`,
    { kind: "view", rows: undefined, bytes: undefined },
  ],
  ["in another schema", `TRUNCATE shop."Stock"`, { kind: "table", rows: 2 }],
  ["found by a search path", `SET search_path TO shop; TRUNCATE "Stock"`, { kind: "table", rows: 2 }],
  ["by its index", `DROP INDEX "Order_note_idx"`, { kind: "table", rows: 3000 }],
])("a table %s: %s", async (_, sql, target) => {
  expect((await workOf(sql)).at(-1)).toMatchObject([{ target: { state: "existing", ...target } }])
})

describe("what the target does not have", () => {
  test("a table of an earlier pending migration is new, and nothing done to it is worth a warning", async () => {
    const { migrations } = await plan({
      "20260101000000_refund": `CREATE TABLE "Refund" ("id" int, "orderId" int); CREATE INDEX "Refund_idx" ON "Refund" ("id")`,
      "20260102000000_use": `
        ALTER TABLE "Refund" DROP COLUMN "id";
        ALTER TABLE "Refund" ADD CONSTRAINT f FOREIGN KEY ("orderId") REFERENCES "Order" ("id");
        DROP INDEX "Refund_idx"; DROP TABLE "Refund"`,
    })
    const work = migrations.flatMap(({ statements }) => statements.flatMap(({ work }) => work))
    const onNew = work.filter(({ table }) => table === `"Refund"`)
    expect(onNew).toHaveLength(6)
    for (const each of onNew) {
      expect(each).toMatchObject({ target: { state: "new" }, costs: [], destroys: [], safer: [], scans: false })
    }
    expect(work.filter(({ table }) => table !== `"Refund"`)).toMatchObject([
      { table: `"Order"`, lock: "SHARE ROW EXCLUSIVE", costs: ["instant"], target: { state: "existing" } },
    ])
  })

  test("a renamed table keeps its size", async () => {
    expect(await workOf(`ALTER TABLE "Order" RENAME TO "Purchase"; DROP TABLE "Purchase"`)).toMatchObject([
      [{ target: { rows: 3000 } }],
      [{ target: { rows: 3000 }, destroys: [`table "Purchase"`] }],
    ])
  })

  test("a table that is nowhere destroys nothing", async () => {
    expect(await workOf(`DROP TABLE IF EXISTS "Nope"; DROP INDEX IF EXISTS "nope_idx"`)).toMatchObject([
      [{ table: `"Nope"`, target: { state: "absent" }, destroys: [] }],
      [{ table: `"nope_idx"`, target: { state: "absent" } }],
    ])
  })

  test("a schema that does not exist yet, for the whole history", async () => {
    const { migrations } = await plan({ "1_a": `CREATE TABLE a (id int)` }, `${database.url}?schema=later`)
    expect(migrations).toMatchObject([{ statements: [{ work: [{ target: { state: "new" } }] }] }])
  })
})

test("the parts of one statement are one piece of work a table: the strongest lock, all costs, what is destroyed", async () => {
  const sql = `ALTER TABLE "Order" ALTER COLUMN "note" SET STATISTICS 5, DROP COLUMN "legacyTotal", ALTER COLUMN "note" SET NOT NULL`
  expect(await workOf(sql)).toMatchObject([
    [
      {
        lock: "ACCESS EXCLUSIVE",
        costs: ["full scan under the lock"],
        destroys: [`column "Order"."legacyTotal"`],
        rewrites: false,
        scans: true,
      },
    ],
  ])
})

test("a non-transactional migration has its reason", async () => {
  expect(await planOne(`CREATE INDEX CONCURRENTLY i ON "Order" ("userId")`)).toMatchObject({
    class: "non-transactional",
    why: "CREATE INDEX CONCURRENTLY cannot run inside a transaction",
  })
})

test("what is applied is not planned; a failed migration is named", async () => {
  const own = await createDatabase()
  await own.query(`CREATE TABLE "_prisma_migrations" ("id" VARCHAR(36) PRIMARY KEY NOT NULL, "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ, "migration_name" VARCHAR(255) NOT NULL, "logs" TEXT, "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(), "applied_steps_count" INTEGER NOT NULL DEFAULT 0);
    INSERT INTO "_prisma_migrations" (id, checksum, finished_at, migration_name) VALUES ('1', 'x', now(), '2_b');
    INSERT INTO "_prisma_migrations" (id, checksum, migration_name) VALUES ('2', 'x', '3_c')`)
  const result = await plan({ "1_a": "SELECT 1", "2_b": "SELECT 1", "3_c": "SELECT 1", "4_d": "SELECT 1" }, own.url)
  expect(result).toMatchObject({ total: 4, failed: ["3_c"] })
  expect(result.migrations.map(({ name, outOfOrder }) => [name, outOfOrder])).toEqual([
    ["1_a", true],
    ["4_d", false],
  ])
})

test("SQL that the parser refuses is in the plan as not parsed, with its place", async () => {
  expect(await planOne(`SELECT 1;\nALTER TABLE "Order" FROBNICATE`)).toMatchObject({
    statements: [],
    unparsed: { line: 2, column: 21, message: expect.stringContaining("FROBNICATE") },
  })
})

test("psql's own commands are refused as by a deploy", async () => {
  await expect(planOne(`\\connect shop\nSELECT 1`)).rejects.toMatchObject({ code: "L1013", details: { line: 1 } })
})

test("a plan does not wait for a table that somebody holds: its size is unknown", async () => {
  const holder = new pg.Client(database.url)
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query(`BEGIN; LOCK TABLE "Order"`)
  expect(await workOf(`DROP TABLE "Order"`)).toMatchObject([[{ target: { rows: 3000, bytes: undefined } }]])
})

test("a plan changes nothing, and creates no history table", async () => {
  const own = await createDatabase()
  await plan({ "1_a": `CREATE TABLE a (id int)` }, own.url)
  expect(await own.query(`SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace`)).toEqual([])
})

test("where the server is replicated to: its standbys, and the slots of this database", async () => {
  const server = await ownServer({ wal_level: "logical" })
  await queryOn(server.url, "SELECT pg_create_physical_replication_slot('spare')")
  await queryOn(server.url, "SELECT pg_create_logical_replication_slot('feed', 'pgoutput')")
  await queryOn(server.url, "CREATE DATABASE other")
  const other = new URL(server.url)
  other.pathname = "/other"
  await queryOn(other.href, "SELECT pg_create_logical_replication_slot('others', 'pgoutput')")
  // A session that asks for the server's log is what PostgreSQL counts as a standby.
  const standby = new pg.Client(`${server.url}?replication=database&application_name=reports`)
  await standby.connect()
  onTestFinished(() => standby.end())
  const found = await plan({ "1_one": "CREATE TABLE t (id int)" }, server.url)
  const replicas = ["logical slot feed (not connected)", "standby reports", "standby slot spare (not connected)"]
  expect(found.replicas).toEqual(replicas)
  expect(renderPlan(found, [], undefined)).toContain(`\n  replicated to: ${replicas.join(", ")}\n`)
  expect(planAnswer.parse(planObject(found, []))).toMatchObject({ replicas })
  await queryOn(server.url, "CREATE ROLE humble LOGIN")
  const humble = new URL(server.url)
  humble.username = "humble"
  expect((await plan({ "1_one": "CREATE TABLE t (id int)" }, humble.href)).replicas).toEqual(replicas)
})
