import { describe, expect, test } from "vitest"
import { classify } from "../../src/sql/classify.js"
import { parseScript } from "../../src/sql/parse.js"

async function classified(source: string) {
  const script = await parseScript(source)
  if (script.kind === "unparsed") throw new Error(script.message)
  return classify(script)
}

describe("transactional", () => {
  test.each([
    ["nothing", ""],
    ["a table", `CREATE TABLE "Order" ("id" int)`],
    ["an index", `CREATE INDEX i ON t (a)`],
    ["CONCURRENTLY in a comment or string", `-- CREATE INDEX CONCURRENTLY\nSELECT 'VACUUM'`],
    ["savepoints", `SAVEPOINT a; SELECT 1; ROLLBACK TO a; RELEASE a`],
    ["a column called begin", `SELECT "begin" FROM t`],
    ["an enum value that is not used", `ALTER TYPE "Status" ADD VALUE 'LATE'; SELECT 1`],
    ["an enum value used before it is added", `SELECT 'LATE'; ALTER TYPE "Status" ADD VALUE 'LATE'`],
    ["an enum value of a type made here", `CREATE TYPE s AS ENUM ('a'); ALTER TYPE s ADD VALUE 'b'; SELECT 'b'::s`],
    ["a renamed enum value", `ALTER TYPE s RENAME VALUE 'a' TO 'b'; SELECT 'b'::s`],
    ["a DO block", `DO $$ BEGIN PERFORM 1; END $$`],
    ["REFRESH CONCURRENTLY", `REFRESH MATERIALIZED VIEW CONCURRENTLY v`],
  ])("%s", async (_, source) => {
    expect(await classified(source)).toEqual({ class: "transactional" })
  })
})

describe("non-transactional", () => {
  test.each([
    ["CREATE INDEX CONCURRENTLY", `SELECT 1; CREATE INDEX CONCURRENTLY i ON t (a)`, 1],
    ["VACUUM", `VACUUM t`, 0],
    ["a DO block that commits", `DO $$ BEGIN COMMIT; END $$`, 0],
    ["an enum value, used", `ALTER TYPE s ADD VALUE 'b'; UPDATE t SET a = 'b'`, 0],
    ["an enum value, used as a default", `ALTER TYPE s ADD VALUE 'b'; ALTER TABLE t ALTER a SET DEFAULT 'b'`, 0],
    ["an enum value, used in a body", `ALTER TYPE s ADD VALUE 'b'; DO $$ BEGIN UPDATE t SET a = 'b'; END $$`, 0],
    ["an enum value with a quote, in a body", `ALTER TYPE s ADD VALUE 'b''c'; DO $$ BEGIN PERFORM 'b''c'; END $$`, 0],
    ["an enum value, used in an array", `ALTER TYPE s ADD VALUE 'b'; SELECT '{a,b}'::s[]`, 0],
    [
      "an enum value of another schema's type",
      `CREATE TYPE x.s AS ENUM (); ALTER TYPE y.s ADD VALUE 'b'; SELECT 'b'`,
      1,
    ],
    ["the second of two enum values", `ALTER TYPE s ADD VALUE 'a'; ALTER TYPE s ADD VALUE 'b'; SELECT 'b'::s`, 1],
  ])("%s", async (_, source, statement) => {
    expect(await classified(source)).toMatchObject({ class: "non-transactional", reason: { statement } })
  })

  test("says why", async () => {
    expect(await classified(`DROP INDEX CONCURRENTLY i`)).toMatchObject({
      reason: { statement: 0, why: "DROP INDEX CONCURRENTLY cannot run inside a transaction" },
    })
  })
})

describe("self-managed", () => {
  test.each([
    ["BEGIN and COMMIT", `BEGIN; SELECT 1; COMMIT`, 0, "BEGIN in the file"],
    ["START TRANSACTION", `SELECT 1; START TRANSACTION; COMMIT`, 1, "START TRANSACTION in the file"],
    ["a COMMIT alone", `SELECT 1; COMMIT`, 1, "COMMIT in the file"],
    ["a ROLLBACK alone", `ROLLBACK`, 0, "ROLLBACK in the file"],
    ["with CONCURRENTLY as well", `CREATE INDEX CONCURRENTLY i ON t (a); BEGIN; COMMIT`, 1, "BEGIN in the file"],
    ["with an enum value as well", `BEGIN; ALTER TYPE s ADD VALUE 'b'; COMMIT; SELECT 'b'::s`, 0, "BEGIN in the file"],
  ])("%s", async (_, source, statement, why) => {
    expect(await classified(source)).toEqual({ class: "self-managed", reason: { statement, why } })
  })
})
