import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { effects } from "../../src/sql/effects.js"
import { rules } from "../../src/sql/rules.js"
import { knownTo, postgresMajor } from "../support/postgres.js"
import { type Account, openShop, type Shop, statementOf } from "./observed.js"

let shop: Shop

/** Before PostgreSQL 15 a session's statistics, which show scans, are not available at once. */
const seen = (all: Readonly<Record<string, Account>>) =>
  Object.entries(all).map(([name, { lock, rewrites, scans }]) =>
    postgresMajor >= 15 ? { name, lock, rewrites, scans } : { name, lock, rewrites },
  )

beforeAll(async () => {
  shop = await openShop()
})

afterAll(() => shop.close())

describe("each rule is what PostgreSQL does", () => {
  for (const [id, rule] of Object.entries(rules)) {
    if (id === "unknown" || rule.example === "" || postgresMajor < (rule.since ?? 0)) continue
    test(id, async () => {
      const { effects, expected, observed } = await shop.observe(rule.example)
      expect(effects.map((effect) => effect.rule)).toContain(id)
      if (rule.before === undefined || postgresMajor >= 18) expect(seen(observed)).toEqual(seen(expected))
      if (rule.on === undefined) return
      const { lock } = rule
      expect(observed[rule.on]).toMatchObject({ lock })
    })
  }
})

test("the effect of code that runs is unknown", async () => {
  const { node } = await statementOf(rules.unknown.example)
  expect(effects(node)).toMatchObject([{ rule: "unknown", lock: "unknown", cost: "unknown" }])
})

describe("the rules' reasons and safer ways are true", () => {
  let shop: Shop

  beforeAll(async () => {
    shop = await openShop()
    await shop.prepare(`
      ALTER TABLE "Archive" ADD CONSTRAINT "numbered" CHECK ("id" IS NOT NULL);
      ALTER TABLE "Event_2026" ADD CONSTRAINT "of_2026" CHECK ("year" >= 2026 AND "year" < 2027);
      CREATE TABLE "Event_other" PARTITION OF "Event" DEFAULT;
      ALTER TABLE "Order" ADD CONSTRAINT "buyer" FOREIGN KEY ("userId") REFERENCES "User" ("id") NOT VALID;
      CREATE INDEX ON "Event_2026" ("year")`)
    if (postgresMajor >= 18)
      await shop.prepare(`ALTER TABLE "User" ADD COLUMN "loud" text GENERATED ALWAYS AS (upper("name")) VIRTUAL`)
  })

  afterAll(() => shop.close())

  const inPlace = { rewrites: false, scans: false }

  test.each<readonly [string, string, string, object]>(
    knownTo(
      [[/virtual/, 18]],
      [
        ["varchar becomes text in place", `ALTER TABLE "Order" ALTER COLUMN "short" TYPE text`, "Order", inPlace],
        [
          "a varchar becomes longer in place",
          `ALTER TABLE "Order" ALTER COLUMN "short" TYPE varchar(40)`,
          "Order",
          inPlace,
        ],
        [
          "int becomes bigint by a rewrite",
          `ALTER TABLE "Archive" ALTER COLUMN "id" TYPE bigint`,
          "Archive",
          { rewrites: true },
        ],
        [
          "a virtual column's expression changes in place",
          `ALTER TABLE "User" ALTER COLUMN "loud" SET EXPRESSION AS (lower("name"))`,
          "User",
          inPlace,
        ],
        [
          "a CHECK spares SET NOT NULL its scan",
          `ALTER TABLE "Archive" ALTER COLUMN "id" SET NOT NULL`,
          "Archive",
          inPlace,
        ],
        [
          "a CHECK spares a primary key on an index its scan",
          `ALTER TABLE "Archive" ADD PRIMARY KEY USING INDEX "Archive_id_key"`,
          "Archive",
          inPlace,
        ],
        [
          "a CHECK spares a new partition its scan, where it has the indexes already",
          `ALTER TABLE "Event" ATTACH PARTITION "Event_2026" FOR VALUES FROM (2026) TO (2027)`,
          "Event_2026",
          inPlace,
        ],
        [
          "the default partition is locked when one is attached",
          `ALTER TABLE "Event" ATTACH PARTITION "Event_2026" FOR VALUES FROM (2026) TO (2027)`,
          "Event_other",
          { lock: "ACCESS EXCLUSIVE" },
        ],
        [
          "the default partition is locked when one is created",
          `CREATE TABLE "Event_2027" PARTITION OF "Event" FOR VALUES FROM (2027) TO (2028)`,
          "Event_other",
          { lock: "ACCESS EXCLUSIVE" },
        ],
        [
          "validating a foreign key locks the referenced table only ROW SHARE",
          `ALTER TABLE "Order" VALIDATE CONSTRAINT "buyer"`,
          "User",
          { lock: "ROW SHARE" },
        ],
        [
          "dropping a foreign key locks the referenced table",
          `ALTER TABLE "Payment" DROP CONSTRAINT "paid_order"`,
          "Order",
          { lock: "ACCESS EXCLUSIVE" },
        ],
        [
          "dropping its column locks the referenced table",
          `ALTER TABLE "Payment" DROP COLUMN "orderId"`,
          "Order",
          { lock: "ACCESS EXCLUSIVE" },
        ],
        [
          "dropping its table locks the referenced table",
          `DROP TABLE "Payment"`,
          "Order",
          { lock: "ACCESS EXCLUSIVE" },
        ],
        ["dropping an index locks its table", `DROP INDEX "Order_note_idx"`, "Order", { lock: "ACCESS EXCLUSIVE" }],
        ["building an index anew locks its table SHARE", `REINDEX INDEX "Order_note_idx"`, "Order", { lock: "SHARE" }],
        ["and the index altogether", `REINDEX TABLE "Order"`, "Order_note_idx", { lock: "ACCESS EXCLUSIVE" }],
        [
          "TRUNCATE CASCADE locks what refers to it",
          `TRUNCATE "Order" CASCADE`,
          "Payment",
          { lock: "ACCESS EXCLUSIVE" },
        ],
      ],
    ),
  )("%s", async (_, sql, name, expected) => {
    const relation = (await shop.measure(sql)).find((each) => each.name === name)
    expect(relation).toMatchObject(expected)
  })
})
