import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { applyBatch, applyTransactional } from "../../../src/deploy/apply/transactional.js"
import { startMigration } from "../../../src/deploy/context.js"
import { ConnectionLost, LockLost } from "../../../src/deploy/failure.js"
import type { TestDatabase } from "../../support/postgres.js"
import { until } from "../../support/until.js"
import { prepared, testDeploy } from "../context.js"

const account = "CREATE TABLE account (id int PRIMARY KEY, n int); INSERT INTO account VALUES (1, 0)"
const count = "UPDATE account SET n = n + 1;"
const name = "20260101000000_x"
const done = { name, finished: true, steps: 1 }

const n = async ({ query }: TestDatabase) => (await query("SELECT n FROM account"))[0]?.n

/** Another session that holds a lock on the table until it is released. */
async function holdTable({ url }: TestDatabase) {
  const other = new pg.Client({ connectionString: url, application_name: "reporting" })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query("BEGIN; LOCK TABLE account")
  return () => other.query("ROLLBACK")
}

test("a migration and its row are committed together", async () => {
  const deploy = await testDeploy(account)
  expect(await applyTransactional(deploy, await prepared(name, count), 0)).toBeTypeOf("number")
  expect(await n(deploy.database)).toBe(1)
  expect(await deploy.rows()).toEqual([done])
})

test("of a migration that is refused nothing is applied, and there is no row; the error names the place", async () => {
  const deploy = await testDeploy(account)
  const wrong = await prepared(name, `${count}\nINSERT INTO account VALUES (1, 0);`)
  await expect(applyTransactional(deploy, wrong, 2)).rejects.toMatchObject({
    code: "L1012",
    details: {
      ...{ line: 2, column: 1, sqlstate: "23505" },
      state: "nothing of this migration was applied or recorded; the 2 earlier migrations are applied.",
    },
  })
  expect(await n(deploy.database)).toBe(0)
  expect(await deploy.rows()).toEqual([])
})

test("after a lock timeout it is applied again, once", async () => {
  const deploy = await testDeploy(account, { lockTimeout: 50, retries: 1 })
  const release = await holdTable(deploy.database)
  const onEvent = async (event: unknown) => {
    expect(event).toMatchObject({ event: "retry", name, attempt: 1, of: 1 })
    expect(event).toMatchObject({
      reason: expect.stringMatching(/timed out waiting for ROW EXCLUSIVE; held by pid \d+ \(reporting/),
    })
    await release()
  }
  const request = { ...deploy.request, onEvent: (event: unknown) => void onEvent(event) }
  await applyTransactional({ ...deploy, request }, await prepared(name, count), 0)
  expect(await n(deploy.database)).toBe(1)
  expect(await deploy.rows()).toEqual([done])
})

test("when the retries are used up, the lock timeout is the error, and nothing is applied", async () => {
  const deploy = await testDeploy(account, { lockTimeout: 50, retries: 1 })
  const release = await holdTable(deploy.database)
  await expect(applyTransactional(deploy, await prepared(name, count), 0)).rejects.toMatchObject({
    code: "L1014",
    details: { next: "run the same deploy again." },
  })
  expect(deploy.events).toHaveLength(1)
  await release()
  expect(await n(deploy.database)).toBe(0)
  expect(await deploy.rows()).toEqual([])
})

test("a signal cancels the statement on the server, and nothing is applied", async () => {
  const deploy = await testDeploy(account)
  const sleeping = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
  const applying = applyTransactional(deploy, await prepared(name, `${count}\nSELECT pg_sleep(60);`), 1)
  const failing = expect(applying).rejects.toMatchObject({
    code: "L1001",
    details: { state: "nothing of this migration was applied or recorded; the earlier migration is applied." },
  })
  await until("the statement", async () => (await deploy.database.query(sleeping)).length > 0)
  deploy.stop.abort()
  await failing
  expect(await deploy.database.query(sleeping)).toHaveLength(0)
  expect(await n(deploy.database)).toBe(0)
})

test("a procedure that commits makes it a migration to be applied statement by statement", async () => {
  const deploy = await testDeploy(
    `${account}; CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN ${count} COMMIT; END $$;`,
  )
  const stepwise = await applyTransactional(deploy, await prepared(name, `${count}\nCALL p();`), 0)
  expect(stepwise).toMatchObject({ class: "non-transactional", statements: [{ index: 0 }, { endsTransaction: true }] })
  expect(await n(deploy.database)).toBe(0)
  expect(await deploy.rows()).toEqual([])
})

test("where the session has lost the migration lock, nothing of the message runs", async () => {
  const deploy = await testDeploy(account)
  await deploy.client.query("SELECT pg_advisory_unlock_all()")
  await expect(applyTransactional(deploy, await prepared(name, count), 0)).rejects.toBeInstanceOf(LockLost)
  expect(await n(deploy.database)).toBe(0)
})

test("a session that is ended leaves the outcome to the history", async () => {
  const deploy = await testDeploy(account)
  const killing = await prepared(name, `${count}\nSELECT pg_terminate_backend(pg_backend_pid());`)
  await expect(applyTransactional(deploy, killing, 0)).rejects.toBeInstanceOf(ConnectionLost)
  expect([...deploy.progress.sent.keys()]).toEqual([name])
  expect(await n(deploy.database)).toBe(0)
})

test("a migration that is already recorded is not applied a second time", async () => {
  const deploy = await testDeploy(account)
  await applyTransactional(deploy, await prepared(name, count), 0)
  await expect(applyTransactional(deploy, await prepared(name, count), 1)).rejects.toBeInstanceOf(LockLost)
  expect(await n(deploy.database)).toBe(1)
  expect(await deploy.rows()).toEqual([done])
})

test("of a batch with one that is refused, those before it are committed and those after it are not run", async () => {
  const deploy = await testDeploy(account)
  const batch = []
  for (const [name, sql] of [
    ["1", count],
    ["2", "SELECT nothing;"],
    ["3", count],
  ] as const) {
    const one = await prepared(name, sql)
    batch.push({ prepared: one, id: startMigration(deploy.progress, one) })
  }
  expect(await applyBatch(deploy, batch)).toBeUndefined()
  expect(await n(deploy.database)).toBe(1)
  expect(await deploy.rows()).toEqual([{ ...done, name: "1" }])
  expect(await applyBatch(deploy, batch.slice(2))).toEqual([expect.any(Number)])
  expect(await deploy.rows()).toEqual([
    { ...done, name: "1" },
    { ...done, name: "3" },
  ])
})
