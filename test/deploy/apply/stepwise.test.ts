import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { applyStepwise, type Earlier } from "../../../src/deploy/apply/stepwise.js"
import { LockLost, lostOr } from "../../../src/deploy/failure.js"
import { readLog } from "../../../src/deploy/recover/resume.js"
import { lockKey } from "../../../src/history/lock.js"
import type { TestDatabase } from "../../support/postgres.js"
import { until } from "../../support/until.js"
import { prepared, type TestDeploy, testDeploy } from "../context.js"

const account = "CREATE TABLE account (id int, n int DEFAULT 0); INSERT INTO account VALUES (1), (1)"
const name = "20260101000000_x"
const fresh: Earlier = { resume: undefined, rolledBack: false }

const apply = async (deploy: TestDeploy, sql: string, earlier = fresh) =>
  await applyStepwise(deploy, await prepared(name, sql), earlier)

const total = async ({ database }: TestDeploy) => (await database.query("SELECT max(n) AS n FROM account"))[0]?.n

/** Another session, which asks for the migration lock. */
async function rival(database: TestDatabase): Promise<{ client: pg.Client; getsLock: () => Promise<boolean> }> {
  const client = new pg.Client(database.url)
  await client.connect()
  onTestFinished(() => client.end())
  const getsLock = async () =>
    (await client.query(`SELECT pg_try_advisory_lock(${lockKey}) AS got`)).rows[0]?.got === true
  return { client, getsLock }
}

test("every statement is applied once, and then the row is as Prisma writes it", async () => {
  const deploy = await testDeploy(account)
  const sql =
    "UPDATE account SET n = n + 1;\nCREATE INDEX CONCURRENTLY i ON account (n);\nUPDATE account SET n = n * 10;"
  expect(await apply(deploy, sql)).toBeGreaterThanOrEqual(0)
  expect(await total(deploy)).toBe(10)
  expect(await deploy.rows()).toEqual([{ name, finished: true, steps: 1 }])
  expect(await deploy.database.query("SELECT logs FROM _prisma_migrations")).toEqual([{ logs: null }])
})

const unique =
  "UPDATE account SET n = n + 1;\nCREATE UNIQUE INDEX CONCURRENTLY i ON account (id);\nUPDATE account SET n = n * 10;"

test("a statement that is refused: those before it are applied and counted, those after it are not", async () => {
  const deploy = await testDeploy(account)
  await expect(apply(deploy, unique)).rejects.toMatchObject({
    code: "L1015",
    details: { line: 2, state: expect.stringContaining(`statement 2 of 3 of ${name} failed, the first is applied`) },
  })
  expect(await total(deploy)).toBe(1)
  expect(await deploy.rows()).toEqual([{ name, finished: false, steps: 1 }])
})

test("resumed, it continues at that statement in the same row", async () => {
  const deploy = await testDeploy(account)
  await apply(deploy, unique).catch(() => undefined)
  const [row] = await deploy.database.query("SELECT id, logs FROM _prisma_migrations")
  const reached = readLog(String(row?.logs))
  expect(reached).toMatchObject({ steps: 1, next: "refused" })
  await deploy.database.query("DELETE FROM account WHERE ctid = (SELECT min(ctid) FROM account)")
  const resume = { id: String(row?.id), steps: 1, next: "refused", cause: "--resume" } as const
  await apply(deploy, unique, { resume, rolledBack: false })
  expect(await total(deploy)).toBe(10)
  expect(await deploy.rows()).toEqual([{ name, finished: true, steps: 1 }])
})

test("resumed, what the statements before have set for the session is set again, and nothing else of them is done", async () => {
  const deploy = await testDeploy(`${account}; CREATE SCHEMA shop; CREATE TABLE shop.item (n int)`)
  const sql = "SET search_path = shop;\nINSERT INTO item VALUES (1);\nCREATE INDEX CONCURRENTLY item_n ON nothing (n);"
  await apply(deploy, sql).catch(() => undefined)
  const [row] = await deploy.database.query("SELECT id FROM _prisma_migrations")
  await deploy.client.query("RESET search_path")
  const resume = { id: String(row?.id), steps: 2, next: "refused", cause: "--resume" } as const
  await apply(deploy, sql.replace("nothing", "item"), { resume, rolledBack: false })
  expect(await deploy.database.query("SELECT count(*)::int FROM shop.item")).toEqual([{ count: 1 }])
  expect(await deploy.rows()).toEqual([{ name, finished: true, steps: 1 }])
})

test("where the history does not keep the row, no statement is run", async () => {
  const deploy =
    await testDeploy(`${account}; CREATE FUNCTION drop_row() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER swallows BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION drop_row()`)
  await expect(apply(deploy, unique)).rejects.toMatchObject({
    code: "L1018",
    details: { state: "nothing of this migration was applied or recorded." },
  })
  expect(await total(deploy)).toBe(0)
})

test("a signal ends it between two statements", async () => {
  const deploy = await testDeploy(account)
  deploy.stop.abort()
  await expect(apply(deploy, unique)).rejects.toMatchObject({
    code: "L1001",
    details: { state: expect.stringContaining("0 of 3 statements") },
  })
  expect(await total(deploy)).toBe(0)
})

test("without the lock nothing is run", async () => {
  const deploy = await testDeploy(account)
  await deploy.client.query("SELECT pg_advisory_unlock_all()")
  const { getsLock } = await rival(deploy.database)
  expect(await getsLock()).toBe(true)
  const error = await apply(deploy, unique).catch((reason: unknown) => lostOr(deploy.client, reason))
  expect(error).toBeInstanceOf(LockLost)
  expect(await deploy.rows()).toEqual([])
  expect(await total(deploy)).toBe(0)
})

test("a statement that releases all locks lets nobody else in, while it runs and afterwards", async () => {
  const deploy = await testDeploy(account)
  const { client, getsLock } = await rival(deploy.database)
  await client.query("SELECT pg_advisory_lock(1)")
  const applying = apply(
    deploy,
    `DO $$ BEGIN PERFORM pg_advisory_unlock_all(); PERFORM pg_advisory_lock(1); END $$;
CREATE INDEX CONCURRENTLY i ON account (n);
SELECT pg_advisory_lock(2);
UPDATE account SET n = n + 1;`,
  )
  const waits = (key: number) =>
    until(`the wait for ${key}`, async () => {
      const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${key} AND NOT granted`
      return (await deploy.database.query(waiting)).length > 0
    })
  await waits(1)
  expect(await getsLock()).toBe(false)
  await client.query("SELECT pg_advisory_lock(2); SELECT pg_advisory_unlock(1)")
  await waits(2)
  expect(await getsLock()).toBe(false)
  await client.query("SELECT pg_advisory_unlock(2)")
  await applying
  expect(await total(deploy)).toBe(1)
  expect(await deploy.rows()).toEqual([{ name, finished: true, steps: 1 }])
})
