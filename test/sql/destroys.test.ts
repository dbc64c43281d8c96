import { expect, test } from "vitest"
import { effects } from "../../src/sql/effects.js"
import { statementOf } from "./observed.js"

test.each([
  [`ALTER TABLE "Order" DROP COLUMN "legacyTotal"`, `column "Order"."legacyTotal"`],
  [`ALTER TABLE shop."Order" DROP COLUMN IF EXISTS "a""b" CASCADE`, `column "shop"."Order"."a""b"`],
  [`DROP TABLE "Order"`, `table "Order"`],
  [`TRUNCATE shop."Order"`, `the rows of "shop"."Order"`],
  [`DELETE FROM "Order"`, `the rows of "Order"`],
  [`DELETE FROM "Order" WHERE "id" = 1`, `the matching rows of "Order"`],
  [`DROP SCHEMA attic CASCADE`, `what is in schema "attic"`],
  [`DROP TYPE "Status" CASCADE`, `what depends on "Status", columns included`],
  [`DROP FUNCTION shop.f(int) CASCADE`, `what depends on "shop"."f", columns included`],
  [`DROP DATABASE old`, `database "old"`],
])("%s destroys %s", async (sql, destroys) => {
  expect(effects((await statementOf(sql)).node)).toMatchObject([{ destroys }])
})

test.each([
  `ALTER TABLE "Order" ADD COLUMN "x" int`,
  `DROP INDEX "Order_note_idx"`,
  `DROP VIEW "Recent"`,
  `DROP SCHEMA attic`,
  `UPDATE "Order" SET "total" = 0`,
])("%s destroys nothing", async (sql) => {
  for (const effect of effects((await statementOf(sql)).node)) expect(effect.destroys).toBeUndefined()
})

test("a safer way names the column", async () => {
  const { node } = await statementOf(`ALTER TABLE "User" ALTER COLUMN "firstName" SET NOT NULL`)
  expect(effects(node)).toEqual([
    {
      rule: "set-not-null",
      lock: "ACCESS EXCLUSIVE",
      table: { name: "User" },
      rewrites: false,
      scans: true,
      cost: "full scan under the lock",
      safer: `add CHECK ("firstName" IS NOT NULL) NOT VALID, VALIDATE, then SET NOT NULL`,
    },
  ])
})

test.each([`SELECT 1`, `SET lock_timeout = '5s'`, `BEGIN`, `SELECT * FROM "Order"`, `SHOW search_path`])(
  "%s has no effect to plan for",
  async (sql) => {
    expect(effects((await statementOf(sql)).node)).toEqual([])
  },
)

test("one ALTER TABLE has an effect for each of its parts, in order", async () => {
  const { node } = await statementOf(`ALTER TABLE s."Order" DROP COLUMN "a", ADD COLUMN "b" int NOT NULL DEFAULT f()`)
  expect(effects(node)).toMatchObject([
    { rule: "drop-column", table: { schema: "s", name: "Order" } },
    { rule: "add-column-function-default", table: { schema: "s", name: "Order" }, cost: "may rewrite the table" },
  ])
})
