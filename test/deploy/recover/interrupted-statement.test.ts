import { beforeEach, describe, expect, onTestFinished, test } from "vitest"
import { type EarlierAttempt, recoverStatement, waitsWithoutBlocking } from "../../../src/deploy/recover/resume.js"
import { type Client, connect } from "../../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../../src/postgres/url.js"
import { createDatabase, postgresMajor } from "../../support/postgres.js"
import { statementOf } from "../context.js"

let client: Client
let url: string

beforeEach(async () => {
  url = (await createDatabase()).url
  client = await connect(parseDatabaseUrl(url))
  onTestFinished(() => client.end())
  await client.query("CREATE TABLE t (id int, n int); INSERT INTO t VALUES (1, 1), (1, 2)")
})

const verdictOn = async (sql: string, earlier: EarlierAttempt) =>
  recoverStatement(client, await statementOf(sql), earlier)
const indexes = async () =>
  (
    await client.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relkind = 'i' AND relnamespace = 'public'::regnamespace ORDER BY 1",
    )
  ).rows.map(({ name }) => name)

describe("CREATE INDEX CONCURRENTLY", () => {
  const create = "CREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id)"

  test("is run where there is no index", async () => {
    expect(await verdictOn(create, "interrupted")).toBe("run")
  })

  test("is run after the invalid index that it left is dropped", async () => {
    await expect(client.query(create)).rejects.toThrow()
    expect(await verdictOn(create, "interrupted")).toBe("run")
    expect(await indexes()).toEqual([])
  })

  test("is done where the index is valid after an interruption; it is run where it was refused", async () => {
    await client.query("CREATE INDEX t_id ON t (id)")
    expect(await verdictOn(create, "interrupted")).toBe("done")
    expect(await verdictOn(create, "refused")).toBe("run")
  })

  test("without a name it is not known which index it made", async () => {
    expect(await verdictOn("CREATE INDEX CONCURRENTLY ON t (id)", "interrupted")).toBe("unknown")
    expect(await verdictOn("CREATE INDEX CONCURRENTLY ON t (id)", "refused")).toBe("run")
  })
})

test("DROP INDEX CONCURRENTLY is done where the index is gone", async () => {
  const drop = "DROP INDEX CONCURRENTLY t_id"
  expect(await verdictOn(drop, "interrupted")).toBe("done")
  await client.query("CREATE INDEX t_id ON t (id)")
  expect(await verdictOn(drop, "interrupted")).toBe("run")
})

test("REINDEX CONCURRENTLY is run again after the indexes that it left are dropped, and no others", async () => {
  await client.query("CREATE INDEX t_id ON t (id); CREATE INDEX t_id_ccnew ON t (id)")
  await client.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_id_ccnew'::regclass")
  await client.query("CREATE TABLE other (id int); CREATE INDEX other_ccnew ON other (id)")
  await client.query("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'other_ccnew'::regclass")
  expect(await verdictOn("REINDEX TABLE CONCURRENTLY t", "refused")).toBe("run")
  expect(await indexes()).toEqual(["other_ccnew", "t_id"])
})

test.each([
  ["a table's, with that of its TOAST table", "TABLE p1", 2],
  ["a partitioned table's", "TABLE p", 2],
  ["a partitioned index's", "INDEX p_pkey", 1],
])("what an interrupted REINDEX CONCURRENTLY really leaves is dropped: %s", async (_whose, what, count) => {
  // Before PostgreSQL 14 it is refused for what is partitioned.
  if (postgresMajor < 14 && what !== "TABLE p1") return
  await client.query(`CREATE TABLE p (id int PRIMARY KEY, words text) PARTITION BY LIST (id);
    CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)`)
  const reader = await connect(parseDatabaseUrl(url))
  onTestFinished(() => reader.end())
  // It waits for older snapshots once it has made the new indexes.
  await reader.query("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1")
  const reindex = `REINDEX ${what.replace(" ", " CONCURRENTLY ")}`
  await client.query("SET lock_timeout = 100")
  await expect(client.query(reindex)).rejects.toThrow("lock timeout")
  const invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
  expect((await client.query(invalid)).rows).toHaveLength(count)
  await reader.query("COMMIT")
  expect(await verdictOn(reindex, "interrupted")).toBe("run")
  expect((await client.query(invalid)).rows).toEqual([])
  await client.query(reindex)
})

test("DETACH PARTITION CONCURRENTLY is finished where it is begun, done where it is not a partition, else run", async () => {
  await client.query("CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)")
  const detach = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"
  expect(await verdictOn(detach, "interrupted")).toBe("run")
  // Older servers do not have the statement, and no such column.
  if (postgresMajor < 14) return
  await client.query("UPDATE pg_inherits SET inhdetachpending = true WHERE inhrelid = 'p1'::regclass")
  expect(await verdictOn(detach, "interrupted")).toBe("done")
  expect((await client.query("SELECT FROM pg_inherits WHERE inhrelid = 'p1'::regclass")).rows).toHaveLength(0)
  expect(await verdictOn(detach, "interrupted")).toBe("done")
})

test.each([
  ["VACUUM t", "run"],
  ["REINDEX SCHEMA public", "run"],
  ["ALTER SYSTEM SET work_mem = '8MB'", "run"],
  ["CREATE DATABASE another", "unknown"],
  ["DROP DATABASE another", "unknown"],
  ["DO $$ BEGIN COMMIT; END $$", "unknown"],
  ["CALL archive()", "unknown"],
])("%s, interrupted: %s", async (sql, verdict) => {
  expect(await verdictOn(sql, "interrupted")).toBe(verdict)
  expect(await verdictOn(sql, "refused")).toBe("run")
})

test("only what blocks nobody else waits for its locks without a limit", async () => {
  const mayWait = async (sql: string) => waitsWithoutBlocking(await statementOf(sql))
  for (const sql of [
    "CREATE INDEX CONCURRENTLY a ON t (id)",
    "REINDEX TABLE CONCURRENTLY t",
    "VACUUM t",
    "VACUUM (ANALYZE) t",
  ]) {
    expect(await mayWait(sql), sql).toBe(true)
  }
  for (const sql of ["VACUUM FULL t", "VACUUM (FULL) t", "CLUSTER", "REINDEX SCHEMA public", "UPDATE t SET n = 1"]) {
    expect(await mayWait(sql), sql).toBe(false)
  }
})
