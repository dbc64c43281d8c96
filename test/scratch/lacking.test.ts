import { DatabaseError } from "pg"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Client, connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { lackedBy, runOnScratch } from "../../src/scratch/lacking.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"

let database: TestDatabase
let client: Client
beforeAll(async () => {
  database = await createDatabase()
  client = await connect(parseDatabaseUrl(database.url))
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

const extension = {
  code: "L1409",
  message: 'the scratch server lacks the extension "No such"',
  details: { next: expect.stringContaining("--shadow-url") },
}

test.each([
  ['CREATE EXTENSION "No such"', extension],
  ['CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE EXTENSION IF NOT EXISTS "No such" SCHEMA public', extension],
  [`DO $$ BEGIN CREATE EXTENSION "No such"; END $$`, extension],
  ['BEGIN; SELECT 1; CREATE EXTENSION "No such"; COMMIT', extension],
  [
    "CREATE TABLE t (n int); GRANT SELECT ON t TO postgres, nobody_has_this_role",
    {
      message: 'the scratch server lacks the role "nobody_has_this_role"',
      details: { next: 'create it there: CREATE ROLE "nobody_has_this_role"' },
    },
  ],
])("what the server lacks is named: %s", async (sql, error) => {
  await expect(runOnScratch({ client, schema: "public" }, sql)).rejects.toMatchObject(error)
  expect(client.getTransactionStatus()).toBe("I")
})

test.each([
  "SELECT 1/0",
  "CREATE EXTENSION IF NOT EXISTS plpgsql; CREATE TABLE t (n no_such_type)",
  "GRANT SELECT ON pg_class TO postgres; DROP TYPE no_such_type",
])("every other error stays the server's: %s", async (sql) => {
  await expect(runOnScratch({ client, schema: "public" }, sql)).rejects.toBeInstanceOf(DatabaseError)
  await client.query("ROLLBACK")
})

test("whatever the server's language", async () => {
  const error = new DatabaseError("Erweiterung »vector« ist nicht verfügbar", 0, "error")
  error.code = "0A000"
  expect((await lackedBy(client, "CREATE EXTENSION vector", error))?.message).toContain('the extension "vector"')
})
