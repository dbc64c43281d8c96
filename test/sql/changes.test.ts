import { expect, test } from "vitest"
import { changes } from "../../src/sql/changes.js"
import { statementOf } from "./observed.js"

const of = async (sql: string) => changes((await statementOf(sql)).node)
const created = (name: string, ifNotExists = false) => [{ change: "create", relation: { name }, ifNotExists }]

test.each([
  [`CREATE TABLE "Refund" ("id" int)`, created("Refund")],
  [`CREATE TABLE IF NOT EXISTS "Refund" ("id" int)`, created("Refund", true)],
  [`CREATE TABLE "Copy" AS SELECT 1 AS "id"`, created("Copy")],
  [`SELECT 1 AS "id" INTO "Copy"`, created("Copy")],
  [`CREATE FOREIGN TABLE far ("id" int) SERVER s`, created("far")],
  [`CREATE VIEW v AS SELECT 1`, created("v")],
  [`CREATE OR REPLACE VIEW v AS SELECT 1`, created("v", true)],
  [`CREATE MATERIALIZED VIEW m AS SELECT 1`, created("m")],
  [`CREATE SEQUENCE s`, created("s")],
])("%s creates a relation", async (sql, expected) => {
  expect(await of(sql)).toEqual(expected)
})

test.each([
  [`CREATE INDEX i ON shop.t (x)`, { change: "create index", index: "i", table: { schema: "shop", name: "t" } }],
  [`ALTER TABLE a RENAME TO b`, { change: "move", from: { name: "a" }, to: { name: "b" } }],
  [
    `ALTER VIEW shop.a RENAME TO b`,
    { change: "move", from: { schema: "shop", name: "a" }, to: { schema: "shop", name: "b" } },
  ],
  [`ALTER TABLE a SET SCHEMA attic`, { change: "move", from: { name: "a" }, to: { schema: "attic", name: "a" } }],
  [`SET search_path TO shop, public`, { change: "search path", schemas: ["shop", "public"] }],
  [`SET LOCAL search_path = 'shop'`, { change: "search path", schemas: ["shop"] }],
  [`SELECT pg_catalog.set_config('search_path', '', false)`, { change: "search path", schemas: [] }],
  [`SELECT set_config('search_path', '"Shop", public', false)`, { change: "search path", schemas: ["Shop", "public"] }],
  [`RESET search_path`, { change: "search path", schemas: undefined }],
  [`SET search_path TO DEFAULT`, { change: "search path", schemas: undefined }],
])("%s changes what names mean", async (sql, expected) => {
  expect(await of(sql)).toEqual([expected])
})

test("one DROP can drop several", async () => {
  expect(await of(`DROP TABLE a, shop.b`)).toEqual([
    { change: "drop", relation: { name: "a" } },
    { change: "drop", relation: { schema: "shop", name: "b" } },
  ])
})

test.each([
  `ALTER TABLE a RENAME COLUMN b TO c`,
  `ALTER TABLE a RENAME CONSTRAINT b TO c`,
  `DROP TYPE t`,
  `SET lock_timeout = '5s'`,
  `SELECT 1`,
  `CREATE INDEX ON t (x)`,
])("%s changes no name of a relation", async (sql) => {
  expect(await of(sql)).toEqual([])
})
