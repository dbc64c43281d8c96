import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { autovacuumLockTimeout, obstacleOf } from "../../../src/deploy/apply/retry.js"
import { setLockTimeout } from "../../../src/deploy/apply/session.js"
import { runCounted } from "../../../src/postgres/counted.js"
import { prepared, type TestDeploy, testDeploy } from "../context.js"

const account = 'CREATE TABLE "Account" (id int PRIMARY KEY); INSERT INTO "Account" VALUES (1)'

/** The obstacle of a script's statement, which has to fail. */
async function obstacle({ client }: TestDeploy, sql: string) {
  const outcome = await runCounted(client, [`BEGIN;SET LOCAL lock_timeout=20;${sql}`])
  await client.query("ROLLBACK")
  if (outcome.ok || !(outcome.error instanceof pg.DatabaseError)) throw new Error("it did not fail")
  const refusal = { error: outcome.error, sentBefore: 0, startsAt: 0, statement: outcome.completed - 2 }
  return await obstacleOf(client, await prepared("20260101000000_x", sql), refusal)
}

test("a lock timeout names the statement, the lock, and who holds it", async () => {
  const deploy = await testDeploy(account)
  const other = new pg.Client({ connectionString: deploy.database.url, application_name: "reporting" })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query('BEGIN; SELECT FROM "Account"')
  const { rows } = await other.query("SELECT pg_backend_pid() AS pid")
  const found = await obstacle(deploy, 'SELECT 1;\nALTER TABLE "Account"\n  ADD COLUMN n int;')
  expect(found.autovacuum).toBe(false)
  expect(found.reason).toContain(
    'ALTER TABLE "Account" ADD COLUMN n int timed out waiting for ACCESS EXCLUSIVE; held by ',
  )
  expect(found.reason).toMatch(new RegExp(`pid ${rows[0].pid} \\(reporting, .*\\), idle in transaction for \\d+ s$`))
})

test("a statement that waits for no table's lock waits for another session", async () => {
  const deploy = await testDeploy(account)
  const other = new pg.Client({ connectionString: deploy.database.url })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query("BEGIN; CREATE TABLE twin (id int)")
  const { reason } = await obstacle(deploy, "CREATE TABLE twin (id int);")
  expect(reason).toBe("CREATE TABLE twin (id int) timed out waiting for another session")
})

test("any other failure that may be retried is given in PostgreSQL's words", async () => {
  const deploy = await testDeploy(account)
  expect(await obstacle(deploy, "DO $$ BEGIN RAISE EXCEPTION 'clash' USING ERRCODE = '40001'; END $$;")).toEqual({
    reason: "clash (40001)",
    autovacuum: false,
  })
})

test("the lock_timeout for an autovacuum is longer than deadlock_timeout", async () => {
  const { client } = await testDeploy()
  await client.query("SET deadlock_timeout = '3s'")
  await client.query(setLockTimeout(autovacuumLockTimeout))
  expect((await client.query("SHOW lock_timeout")).rows).toEqual([{ lock_timeout: "3500ms" }])
})
