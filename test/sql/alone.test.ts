import pg from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { classify, runsAlone } from "../../src/sql/classify.js"
import { parseScript } from "../../src/sql/parse.js"
import { createDatabase, type TestDatabase } from "../postgres.js"

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client(database.url)
  await client.connect()
  await client.query(`
    CREATE TABLE t (a int PRIMARY KEY);
    CREATE INDEX i ON t (a);
    CREATE TABLE p (a int) PARTITION BY RANGE (a);
    CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (2);
    CREATE MATERIALIZED VIEW v AS SELECT a FROM t;
    CREATE UNIQUE INDEX ON v (a);
    CREATE TYPE e AS ENUM ('a');
    CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)`)
})

afterAll(async () => {
  await client.query("ALTER SUBSCRIPTION s SET (slot_name = NONE)")
  await client.query("DROP SUBSCRIPTION s")
  await client.end()
  await database.drop()
})

/** The only statement of a script. */
async function only(source: string) {
  const script = await parseScript(source)
  if (script.kind === "unparsed" || script.statements[0] === undefined) throw new Error(source)
  return { script, statement: script.statements[0] }
}

/** The SQLSTATE that PostgreSQL answers with inside a transaction, which is then rolled back. */
async function stateInTransaction(sql: string): Promise<string | undefined> {
  await client.query("BEGIN")
  try {
    await client.query(sql)
    return undefined
  } catch (error) {
    if (error instanceof pg.DatabaseError) return error.code
    throw error
  } finally {
    await client.query("ROLLBACK")
  }
}

const activeTransaction = "25001"
const invalidTermination = "2D000"

describe("what PostgreSQL refuses inside a transaction runs alone", () => {
  test.each([
    "CREATE INDEX CONCURRENTLY ON t (a)",
    "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS j ON t (a)",
    "DROP INDEX CONCURRENTLY i",
    "REINDEX TABLE CONCURRENTLY t",
    "REINDEX (CONCURRENTLY) INDEX i",
    "REINDEX (VERBOSE, CONCURRENTLY true) INDEX i",
    "REINDEX SCHEMA public",
    "REINDEX DATABASE",
    "REINDEX SYSTEM",
    "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
    "VACUUM",
    "VACUUM t",
    "VACUUM (FULL, ANALYZE) t",
    "CLUSTER",
    "ALTER SYSTEM SET work_mem = '4MB'",
    "ALTER SYSTEM RESET ALL",
    "CREATE DATABASE x",
    "DROP DATABASE IF EXISTS x",
    "CREATE TABLESPACE x LOCATION '/nowhere'",
    "DROP TABLESPACE IF EXISTS x",
    "ALTER DATABASE postgres SET TABLESPACE pg_default",
    "DISCARD ALL",
    "COMMIT PREPARED 'x'",
    "ROLLBACK PREPARED 'x'",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION p",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION p WITH (create_slot)",
    "DROP SUBSCRIPTION s",
    "ALTER SUBSCRIPTION s SET (failover = true)",
    "ALTER SUBSCRIPTION s SET (two_phase = false)",
    "DO $$ BEGIN COMMIT; END $$",
    "DO $$ BEGIN PERFORM 1; ROLLBACK; END $$",
  ])("%s", async (sql) => {
    const { script, statement } = await only(sql)
    expect([activeTransaction, invalidTermination]).toContain(await stateInTransaction(sql))
    expect(runsAlone(statement)).toBe(true)
    expect(classify(script).class).toBe("non-transactional")
  })

  test.each(["REFRESH PUBLICATION", "SET PUBLICATION q", "ADD PUBLICATION q"])(
    "ALTER SUBSCRIPTION %s, of an enabled subscription",
    async (rest) => {
      const sql = `ALTER SUBSCRIPTION s ${rest}`
      expect(await stateInTransaction(`ALTER SUBSCRIPTION s ENABLE; ${sql}`)).toBe(activeTransaction)
      expect(runsAlone((await only(sql)).statement)).toBe(true)
    },
  )
})

describe("what PostgreSQL takes inside a transaction need not run alone", () => {
  test.each([
    "CREATE INDEX ON t (a)",
    "DROP INDEX i",
    "REINDEX TABLE t",
    "REINDEX (CONCURRENTLY false) INDEX i",
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
    "ALTER TABLE p DETACH PARTITION p1",
    "ANALYZE",
    "ANALYZE t",
    "CLUSTER t USING t_pkey",
    "ALTER DATABASE postgres SET work_mem = '4MB'",
    "ALTER DATABASE postgres CONNECTION LIMIT -1",
    "DISCARD PLANS",
    "ALTER TYPE e ADD VALUE 'b'",
    "CHECKPOINT",
    "LOCK TABLE t",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION p WITH (connect = false)",
    "CREATE SUBSCRIPTION x CONNECTION 'dbname=x' PUBLICATION p WITH (connect = 0)",
    "ALTER SUBSCRIPTION s ENABLE",
    "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)",
    "ALTER SUBSCRIPTION s SET (binary = true)",
    "DO $$ BEGIN PERFORM 1; END $$",
  ])("%s", async (sql) => {
    const { script, statement } = await only(sql)
    expect(await stateInTransaction(sql)).toBeUndefined()
    expect(runsAlone(statement)).toBe(false)
    expect(classify(script).class).toBe("transactional")
  })
})

describe("an enum value can be used", () => {
  const unsafeUse = "55P04"

  test("only once it is committed", async () => {
    expect(await stateInTransaction("ALTER TYPE e ADD VALUE 'b'; SELECT 'b'::e")).toBe(unsafeUse)
  })

  test("at once, where the type is as new", async () => {
    const sql = "CREATE TYPE f AS ENUM ('a'); ALTER TYPE f ADD VALUE 'b'; SELECT 'b'::f"
    expect(await stateInTransaction(sql)).toBeUndefined()
  })
})
