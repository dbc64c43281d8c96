import { expect, test } from "vitest"
import { resumable } from "../../src/sql/resumable.js"
import { statementOf } from "./observed.js"

test.each([
  [
    `CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "one_code" ON shop."Order" ("code")`,
    {
      kind: "create index",
      index: { schema: "shop", name: "one_code" },
      table: { schema: "shop", name: "Order" },
      unique: true,
      ifNotExists: true,
    },
  ],
  [
    `CREATE INDEX CONCURRENTLY ON "Order" ("code")`,
    { kind: "create index", table: { name: "Order" }, unique: false, ifNotExists: false },
  ],
  [`DROP INDEX CONCURRENTLY IF EXISTS shop.i`, { kind: "drop index", indexes: [{ schema: "shop", name: "i" }] }],
  [`REINDEX INDEX CONCURRENTLY i`, { kind: "reindex", of: "index", target: { name: "i" } }],
  [`REINDEX (CONCURRENTLY) TABLE shop.t`, { kind: "reindex", of: "table", target: { schema: "shop", name: "t" } }],
  [`REINDEX SCHEMA CONCURRENTLY shop`, { kind: "reindex", of: "many" }],
  [
    `ALTER TABLE "Event" DETACH PARTITION "Event_2025" CONCURRENTLY`,
    { kind: "detach partition", table: { name: "Event" }, partition: { name: "Event_2025" } },
  ],
  [`CREATE INDEX i ON t (a)`, undefined],
  [`DROP INDEX i`, undefined],
  [`REINDEX INDEX i`, undefined],
  [`ALTER TABLE "Event" DETACH PARTITION "Event_2025"`, undefined],
  [`VACUUM t`, undefined],
])("%s", async (sql, expected) => {
  expect(resumable((await statementOf(sql)).node)).toEqual(expected)
})
