import { beforeEach, expect, test } from "vitest"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { runScript } from "../../src/scratch/script.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"

let database: TestDatabase

beforeEach(async () => {
  database = await createDatabase()
  await database.query(`CREATE TABLE t (n int); CREATE TYPE mood AS ENUM ('a')`)
})

async function run(script: string): Promise<void> {
  const client = await connect(parseDatabaseUrl(database.url))
  try {
    await runScript({ client, schema: "public" }, script)
  } finally {
    await client.end()
  }
}

test.each([
  `CREATE TABLE u (n int); CREATE INDEX CONCURRENTLY i ON t (n)`,
  `ALTER TYPE mood ADD /* a comment */ VALUE 'b'; INSERT INTO t SELECT 1 WHERE 'b'::mood = 'b'`,
  `VACUUM t; SELECT 1`,
  `DO $$ BEGIN INSERT INTO t VALUES (1); COMMIT; END $$; SELECT 1`,
])("a script that cannot be one transaction runs statement by statement: %s", async (script) => {
  await expect(run(script)).resolves.toBeUndefined()
})

test.each([
  `INSERT INTO t VALUES (1); SELECT 1/0`,
  `INSERT INTO t VALUES (1); SELECT 'vacuum; create index concurrently'; SELECT 1/0`,
])("any other script is one transaction: %s", async (script) => {
  await expect(run(script)).rejects.toMatchObject({ code: "22012" })
  expect(await database.query(`SELECT n FROM t`)).toEqual([])
})
