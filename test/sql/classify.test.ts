import pg from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { classify, runsAlone } from "../../src/sql/classify.js"
import { parseScript } from "../../src/sql/parse.js"
import { createDatabase, knownTo, postgresMajor, type TestDatabase } from "../support/postgres.js"

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

  test("with the reason", async () => {
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

describe("on a server", () => {
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

  /** The SQLSTATE with which PostgreSQL refuses a statement inside a transaction, which is then rolled back. */
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

  /** What only later versions have, or refuse. */
  const newer = [
    [
      /REINDEX \(.*CONCURRENTLY|DETACH PARTITION p1 CONCURRENTLY|binary|PUBLICATION q$|(REFRESH|SET|ADD) PUBLICATION/,
      14,
    ],
    [/REINDEX (DATABASE|SYSTEM)/, 16],
    [/failover/, 17],
    [/two_phase/, 18],
  ] as const

  describe("what PostgreSQL refuses inside a transaction is sent outside of one", () => {
    test.each(
      knownTo(newer, [
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
      ]),
    )("%s", async (sql) => {
      const { script, statement } = await only(sql)
      expect([activeTransaction, invalidTermination]).toContain(await stateInTransaction(sql))
      expect(runsAlone(statement)).toBe(true)
      expect(classify(script).class).toBe("non-transactional")
    })

    test.each(knownTo(newer, ["REFRESH PUBLICATION", "SET PUBLICATION q", "ADD PUBLICATION q"]))(
      "ALTER SUBSCRIPTION %s, of an enabled subscription",
      async (rest) => {
        const sql = `ALTER SUBSCRIPTION s ${rest}`
        expect(await stateInTransaction(`ALTER SUBSCRIPTION s ENABLE; ${sql}`)).toBe(activeTransaction)
        expect(runsAlone((await only(sql)).statement)).toBe(true)
      },
    )
  })

  describe("what PostgreSQL takes inside a transaction may be sent in one", () => {
    test.each(
      knownTo(newer, [
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
      ]),
    )("%s", async (sql) => {
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
      expect(await stateInTransaction(sql)).toBe(postgresMajor >= 17 ? undefined : unsafeUse)
    })
  })
})
