import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import type { Observation } from "../../src/scratch/observation.js"
import { type ObservedScript, observeScript } from "../../src/scratch/observe.js"
import { openReplayed } from "../../src/scratch/template.js"
import { parseScript } from "../../src/sql/parse.js"
import { createDatabase, knownTo, type TestDatabase } from "../support/postgres.js"

/** Statements whose effects the SQL alone does not show need objects that only a catalog knows. */
const history = `
  CREATE TABLE "User" ("id" int PRIMARY KEY, "name" text);
  CREATE TABLE "Order" ("id" int PRIMARY KEY, "userId" int REFERENCES "User" ON DELETE CASCADE, "total" numeric(10, 2), "note" varchar(20));
  CREATE TABLE "Payment" ("id" int PRIMARY KEY, "orderId" int REFERENCES "Order" ON DELETE CASCADE);
  CREATE TABLE "Review" ("id" int PRIMARY KEY, "userId" int REFERENCES "User" ON DELETE SET NULL);
  CREATE TABLE "Parent" ("id" int);
  CREATE TABLE "Child" () INHERITS ("Parent");
  CREATE TABLE "Event" ("year" int NOT NULL, "what" text) PARTITION BY RANGE ("year");
  CREATE TABLE "Event_2025" PARTITION OF "Event" FOR VALUES FROM (2025) TO (2026);
  CREATE TABLE "Event_rest" PARTITION OF "Event" DEFAULT;
  CREATE TABLE "Event_2026" ("year" int NOT NULL, "what" text);
  CREATE INDEX "Order_note_idx" ON "Order" ("note");
  CREATE VIEW "Recent" AS SELECT "id", "note" FROM "Order";
  CREATE TYPE "Status" AS ENUM ('NEW', 'DONE');
  CREATE TABLE "Ticket" ("id" int, "status" "Status");
  CREATE SCHEMA "attic";
  CREATE TABLE "attic"."Old" ("id" int);
  CREATE TABLE "Log" ("n" int) PARTITION BY RANGE ("n");
  CREATE TABLE "Log_1" PARTITION OF "Log" FOR VALUES FROM (1) TO (2);
  CREATE DOMAIN "Positive" AS int CHECK (VALUE > 0);
  CREATE DOMAIN "Plain" AS int;
  CREATE TABLE "Stock" ("id" int, "amount" "Positive");
  CREATE TABLE "Audit" ("what" text);
  CREATE FUNCTION remove_orphans() RETURNS void LANGUAGE sql AS $$ DELETE FROM "Payment" $$;
  CREATE FUNCTION remove_fixed() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM "Payment"; END $$;
  CREATE FUNCTION remove_some() RETURNS void LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM "Payment") THEN DELETE FROM "Review"; END IF; END $$;
  CREATE FUNCTION audited() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO "Audit" VALUES (tg_tag); END $$;
  CREATE EVENT TRIGGER audit ON ddl_command_end WHEN TAG IN ('CREATE VIEW') EXECUTE FUNCTION audited();
  CREATE PROCEDURE tidy() LANGUAGE plpgsql AS $$ BEGIN
    DELETE FROM "Review"; COMMIT; UPDATE "Stock" SET "amount" = 1; COMMIT; END $$;`

/** What only later versions have, or do in this way. */
const newer = [
  [/MERGE/, 15],
  [/DETACH PARTITION/, 14],
] as const

let database: TestDatabase
const setting = () => {
  const url = parseDatabaseUrl(database.url)
  return { url, schema: "public", main: url }
}
const steps = [{ name: "1_all", sql: history }]

beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())

async function observe(sql: string, kind: ObservedScript["class"] = "transactional") {
  const script = await parseScript(sql)
  if (script.kind === "unparsed") throw new Error(script.message)
  const scratch = await openReplayed(setting(), steps)
  try {
    return await observeScript(scratch, { class: kind, statements: script.statements })
  } finally {
    await scratch.drop()
  }
}

/** One line a relation that somebody could wait for or whose data is concerned, then what is gone. */
function told(observation: Observation | undefined): readonly string[] {
  if (observation === undefined) return []
  const relations = observation.relations.map((each) =>
    [
      each.name,
      each.lock,
      each.rewrites ? "rewrites" : "",
      each.scans ? "scans" : "",
      each.builds.length > 0 ? `builds ${each.builds.length}` : "",
      ...each.writes,
      ...each.cascades.map(({ command }) => `cascades ${command}`),
    ]
      .filter(Boolean)
      .join(", "),
  )
  const gone = observation.gone.map(({ kind, name, table }) => `gone: ${kind} ${table ? `${table.name}.` : ""}${name}`)
  return [...relations, ...gone]
}

async function last(sql: string, kind?: ObservedScript["class"]): Promise<readonly string[]> {
  const { observations, refused } = await observe(sql, kind)
  expect(refused).toBeUndefined()
  return told(observations.at(-1))
}

describe("what the SQL alone does not show", () => {
  test.each<readonly [what: string, sql: string, ...told: readonly string[]]>(
    knownTo(newer, [
      ["a function that deletes", "SELECT remove_orphans()", "Payment, ROW EXCLUSIVE, scans, delete"],
      ["a function that a rule could not read", "SELECT remove_some()", "Payment, ACCESS SHARE, scans"],
      [
        "DELETE with foreign keys",
        `DELETE FROM "User"`,
        "User, ROW EXCLUSIVE, scans, delete",
        "Order, none, cascades delete",
        "Payment, none, cascades delete",
        "Review, none, cascades update",
      ],
      [
        "MERGE … DELETE",
        `MERGE INTO "Payment" p USING "Order" o ON p."orderId" = o."id" WHEN MATCHED THEN DELETE`,
        "Payment, ROW EXCLUSIVE, scans, delete",
      ],
      [
        "TRUNCATE … CASCADE",
        `TRUNCATE "Order" CASCADE`,
        "Order, ACCESS EXCLUSIVE, truncate",
        "Payment, ACCESS EXCLUSIVE, truncate",
      ],
      [
        "DELETE with inheritance",
        `DELETE FROM "Parent"`,
        "Child, ROW EXCLUSIVE, scans, delete",
        "Parent, ROW EXCLUSIVE, scans, delete",
      ],
      [
        "DROP TABLE … CASCADE",
        `DROP TABLE "Order" CASCADE`,
        "User, ACCESS EXCLUSIVE",
        "Order, ACCESS EXCLUSIVE",
        "Payment, ACCESS EXCLUSIVE",
        "Recent, ACCESS EXCLUSIVE",
        "gone: table Order",
        "gone: view Recent",
        "gone: constraint Payment.Payment_orderId_fkey",
      ],
      [
        "DROP TYPE … CASCADE",
        `DROP TYPE "Status" CASCADE`,
        "Ticket, ACCESS EXCLUSIVE",
        `gone: column Ticket.status`,
        `gone: enum public."Status"`,
      ],
      [
        "DROP SCHEMA … CASCADE",
        `DROP SCHEMA "attic" CASCADE`,
        "Old, ACCESS EXCLUSIVE",
        "gone: table Old",
        "gone: schema attic",
      ],
      [
        "a column of a domain with a check",
        `ALTER TABLE "Order" ADD COLUMN "n" "Positive"`,
        "Order, ACCESS EXCLUSIVE, rewrites, scans, builds 2",
      ],
      ["a column of a plain domain", `ALTER TABLE "Order" ADD COLUMN "n" "Plain"`, "Order, ACCESS EXCLUSIVE"],
      ["ALTER DOMAIN", `ALTER DOMAIN "Positive" ADD CONSTRAINT "small" CHECK (VALUE < 9)`, "Stock, SHARE, scans"],
      [
        "the type of a referenced column",
        `ALTER TABLE "User" ALTER COLUMN "id" TYPE bigint`,
        "User, ACCESS EXCLUSIVE, rewrites, scans, builds 1",
        "Order, ACCESS EXCLUSIVE, scans",
        "Review, ACCESS EXCLUSIVE, scans",
      ],
      [
        "a type that needs no rewrite",
        `ALTER TABLE "Order" ALTER COLUMN "total" TYPE numeric(12, 2)`,
        "Order, ACCESS EXCLUSIVE",
      ],
      [
        "the partitions",
        `ALTER TABLE "Event" ADD COLUMN "x" float DEFAULT random()`,
        "Event, ACCESS EXCLUSIVE",
        "Event_2025, ACCESS EXCLUSIVE, rewrites, scans",
        "Event_rest, ACCESS EXCLUSIVE, rewrites, scans",
      ],
      [
        "the default partition",
        `ALTER TABLE "Event" ATTACH PARTITION "Event_2026" FOR VALUES FROM (2026) TO (2027)`,
        "Event, SHARE UPDATE EXCLUSIVE",
        "Event_rest, ACCESS EXCLUSIVE, scans",
        "Event_2026, ACCESS EXCLUSIVE, scans",
      ],
      [
        "DETACH PARTITION, with a default partition",
        `ALTER TABLE "Event" DETACH PARTITION "Event_2025"`,
        "Event, ACCESS EXCLUSIVE",
        "Event_2025, ACCESS EXCLUSIVE",
        "Event_rest, ACCESS EXCLUSIVE",
      ],
      [
        "a row's own partition",
        `INSERT INTO "Event" VALUES (2025, 'x')`,
        "Event, ROW EXCLUSIVE, insert",
        "Event_2025, ROW EXCLUSIVE, insert",
      ],
      [
        "a temporary table that hides a real one",
        `CREATE TEMP TABLE "User" (id int); DELETE FROM "User"; DROP TABLE "User"`,
      ],
      [
        "a rename, then a table of the old name",
        `ALTER TABLE "Stock" RENAME TO "Goods"; CREATE TABLE "Stock" (id int); DELETE FROM "Stock"; TRUNCATE "Goods"`,
        "Goods, ACCESS EXCLUSIVE, truncate",
      ],
      ["an event trigger that writes", "CREATE VIEW v AS SELECT 1", "Audit, ROW EXCLUSIVE, insert"],
      ["DO", `DO $$ BEGIN DELETE FROM "Review"; END $$`, "Review, ROW EXCLUSIVE, scans, delete"],
      [
        "a dropped foreign key's other end",
        `ALTER TABLE "Order" DROP CONSTRAINT "Order_userId_fkey"`,
        "User, ACCESS EXCLUSIVE",
        "Order, ACCESS EXCLUSIVE",
        "gone: constraint Order.Order_userId_fkey",
      ],
      ["an index's new name", `ALTER INDEX "Order_note_idx" RENAME TO "n"`, "Order_note_idx, SHARE UPDATE EXCLUSIVE"],
      [
        "a table that the transaction has locked already",
        `ALTER TABLE "User" ADD COLUMN x int; ALTER TABLE "User" ADD COLUMN y int`,
        "User, none",
      ],
      ["a query", `SELECT 1`],
    ]),
  )("%s: %s", async (_, sql, ...expected) => {
    const lines = (await last(sql)).filter((line) => !/_(pkey|idx), /.test(line) || expected.includes(line))
    expect(lines.toSorted()).toEqual(expected.toSorted())
  })
})

describe("what runs in no transaction, watched by a second session", () => {
  test.each<readonly [sql: string, ...told: readonly string[]]>(
    knownTo(newer, [
      [`CREATE INDEX CONCURRENTLY i ON "Order" ("total")`, "Order, SHARE UPDATE EXCLUSIVE, scans, builds 1"],
      [`DROP INDEX CONCURRENTLY "Order_note_idx"`, "Order, SHARE UPDATE EXCLUSIVE", "gone: index Order.Order_note_idx"],
      [`REINDEX TABLE CONCURRENTLY "Order"`, "Order, SHARE UPDATE EXCLUSIVE, scans, builds 2"],
      [`VACUUM "Order"`, "Order, SHARE UPDATE EXCLUSIVE"],
      [`VACUUM FULL "Order"`, "Order, ACCESS EXCLUSIVE, rewrites, scans, builds 2"],
      [
        `ALTER TABLE "Log" DETACH PARTITION "Log_1" CONCURRENTLY`,
        "Log, SHARE UPDATE EXCLUSIVE",
        "Log_1, ACCESS EXCLUSIVE",
      ],
    ]),
  )("%s", async (sql, ...expected) => {
    const lines = (await last(sql, "non-transactional")).filter((line) => !/_(pkey|idx), /.test(line))
    expect(lines.toSorted()).toEqual(expected.toSorted())
  })

  test("a procedure that commits", async () => {
    expect(await last("CALL tidy()", "self-managed")).toEqual([
      "Review, ROW EXCLUSIVE, scans, delete",
      "Stock, ROW EXCLUSIVE, scans, update",
    ])
  })
})

test("a function whose course depends on rows is named as such", async () => {
  const { observations } = await observe("SELECT remove_some(); SELECT remove_fixed()")
  expect(observations.map((each) => each?.functions)).toEqual([
    [{ name: "public.remove_some", course: "depends on rows" }],
    [{ name: "public.remove_fixed", course: "fixed" }],
  ])
})

test("new columns and changed types have their definition before and after", async () => {
  const { observations } = await observe(
    `ALTER TABLE "User" ADD COLUMN "age" int NOT NULL, ALTER COLUMN "name" TYPE varchar(5), ALTER COLUMN "name" SET NOT NULL`,
  )
  expect(observations[0]?.columns.toSorted((one, other) => other.name.localeCompare(one.name))).toMatchObject([
    { name: "name", before: { type: "text", notNull: false }, after: { type: "character varying(5)", notNull: true } },
    { name: "age", before: undefined, after: { type: "integer", notNull: true, filled: false } },
  ])
})

test("what PostgreSQL refuses is the end of the run, and leaves nothing of its transaction", async () => {
  const { observations, refused } = await observe(`DROP TABLE "Payment"; DROP TABLE "Nope"; SELECT 1`)
  expect([observations.length, refused?.code]).toEqual([1, "42P01"])
})

test("a file's own transactions are run as written", async () => {
  const { observations } = await observe(
    `SET lock_timeout = 1000; BEGIN; DELETE FROM "Audit"; COMMIT; ALTER TABLE "Audit" ADD COLUMN "x" int`,
    "self-managed",
  )
  expect(observations.map(told)).toEqual([
    [],
    [],
    ["Audit, ROW EXCLUSIVE, scans, delete"],
    [],
    ["Audit, ACCESS EXCLUSIVE"],
  ])
})

test("the first statement of a transaction may be SET TRANSACTION", async () => {
  expect(await last(`SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; DELETE FROM "Audit"`)).toEqual([
    "Audit, ROW EXCLUSIVE, scans, delete",
  ])
})

test("notices of the user's code are kept", async () => {
  const { observations } = await observe(`DO $$ BEGIN RAISE NOTICE 'two orders left'; END $$`)
  expect(observations[0]?.notices).toEqual(["two orders left"])
})

describe("the replayed history", () => {
  test("a longer history starts from the template of a shorter one, and the same one is a copy", async () => {
    const longer = [...steps, { name: "2_more", sql: `CREATE TABLE "More" AS SELECT clock_timestamp() AS at` }]
    const scratch = await openReplayed(setting(), longer)
    const { rows } = await scratch.client.query(`SELECT * FROM "More"`)
    await scratch.client.query(`DELETE FROM "More"`)
    await scratch.drop()
    const again = await openReplayed(setting(), longer)
    expect((await again.client.query(`SELECT * FROM "More"`)).rows).toEqual(rows)
    await again.drop()
  })

  test("a migration that fails there is named", async () => {
    const failing = [...steps, { name: "2_bad", sql: `ALTER TABLE "Nope" ADD x int` }]
    await expect(openReplayed(setting(), failing)).rejects.toMatchObject({ code: "L1406" })
  })
})
