import { expect, test } from "vitest"
import { catalogChanges, changeText, checkCatalog } from "../../../src/deploy/recover/catalog-check.js"
import { connect } from "../../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../../src/postgres/url.js"
import { createDatabase } from "../../support/postgres.js"
import { statementsOf } from "../context.js"

/** Each statement with the changes by which the catalog shows whether it is done, in words. */
const statements: readonly (readonly [sql: string, ...changes: string[]])[] = [
  ['CREATE TABLE "Order" (id int)', '"Order"'],
  ["CREATE TABLE copy AS SELECT 1 AS id", '"copy"'],
  ["CREATE VIEW seen AS SELECT 1 AS id", '"seen"'],
  ["CREATE SEQUENCE numbers", '"numbers"'],
  ['CREATE INDEX order_id ON "Order" (id)', '"order_id"'],
  ["CREATE TYPE status AS ENUM ('NEW')", 'type "status"'],
  ["CREATE TYPE pair AS (a int, b int)", 'type "pair"'],
  ["CREATE DOMAIN positive AS int CHECK (VALUE > 0)", 'type "positive"'],
  ["ALTER TYPE status ADD VALUE 'Sent \"now\"'", 'enum value "status"."Sent ""now"""'],
  [
    'ALTER TABLE "Order" ADD COLUMN total int, ADD CONSTRAINT "Order_total" CHECK (total > 0)',
    'column "Order"."total"',
    'constraint "Order"."Order_total"',
  ],
  ['ALTER TABLE "Order" DROP CONSTRAINT "Order_total"', 'constraint "Order"."Order_total" dropped'],
  ['ALTER TABLE "Order" DROP COLUMN total', 'column "Order"."total" dropped'],
  ["DROP VIEW seen", '"seen" dropped'],
  ["DROP TABLE copy", '"copy" dropped'],
]

test.each(statements)("%s", async (sql, ...changes) => {
  expect(catalogChanges(await statementsOf(sql)).map(changeText)).toEqual(changes)
})

test.each(["UPDATE account SET n = 1", "SELECT 1", "GRANT ALL ON account TO public", "DROP TYPE status"])(
  "%s: the catalog does not show whether it is done",
  async (sql) => {
    expect(catalogChanges(await statementsOf(sql))).toEqual([])
  },
)

test("a change carries the line of its statement", async () => {
  const changes = catalogChanges(await statementsOf("CREATE TABLE a (id int);\n\nCREATE TABLE b (id int);"))
  expect(changes.map(({ line }) => line)).toEqual([1, 3])
})

test("each change is found in the catalog once its statement has run, and not before", async () => {
  const client = await connect(parseDatabaseUrl((await createDatabase()).url))
  try {
    for (const [sql] of statements) {
      const changes = catalogChanges(await statementsOf(sql))
      const done = async () => (await checkCatalog(client, changes)).map((change) => change.done)
      expect(await done(), `before ${sql}`).toEqual(changes.map(() => false))
      await client.query(sql)
      expect(await done(), `after ${sql}`).toEqual(changes.map(() => true))
    }
  } finally {
    await client.end()
  }
})
