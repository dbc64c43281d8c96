import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { applyStatement } from "../../../src/deploy/apply/stepwise.js"
import type { StepwiseRun } from "../../../src/deploy/apply/stepwise-run.js"
import { startMigration } from "../../../src/deploy/context.js"
import { readLog, stepsLog } from "../../../src/deploy/recover/resume.js"
import { lockHolder } from "../../../src/history/lock.js"
import { startedRow } from "../../../src/history/rows.js"
import { prepared, type TestDeploy, testDeploy } from "../context.js"

const account = "CREATE TABLE account (id int, n int); INSERT INTO account VALUES (1, 0), (1, 0)"
const name = "20260101000000_x"
const concurrently = "CREATE INDEX CONCURRENTLY account_id ON account (id);"
const first = { attempt: undefined, unattended: false } as const

/** A stepwise run that has written its row, before the first statement. */
async function started(deploy: TestDeploy, sql: string): Promise<StepwiseRun> {
  const one = await prepared(name, sql)
  const id = startMigration(deploy.progress, one)
  const key = { pid: lockHolder(deploy.client), schema: "public", id }
  await deploy.client.query(startedRow(key, one.migration, stepsLog(one.statements, 0)))
  return { ...deploy, prepared: one, id, steps: 0 }
}

const statement = (run: StepwiseRun, index: number) => {
  const found = run.prepared.statements[index]
  if (found === undefined) throw new Error(`no statement ${index}`)
  return found
}

const lockTimeout = async ({ client }: StepwiseRun) =>
  (await client.query<{ lock_timeout: string }>("SHOW lock_timeout")).rows[0]?.lock_timeout

const logs = async ({ database }: TestDeploy) => {
  const [row] = await database.query("SELECT logs FROM _prisma_migrations")
  return readLog(String(row?.logs))
}

test("a statement that may run in a transaction is committed with its count", async () => {
  const deploy = await testDeploy(account)
  const run = await started(deploy, `UPDATE account SET n = n + 1;\n${concurrently}`)
  await applyStatement(run, statement(run, 0), first)
  expect(run.steps).toBe(1)
  expect(await deploy.rows()).toEqual([{ name, finished: false, steps: 1 }])
  expect(await deploy.database.query("SELECT n FROM account")).toEqual([{ n: 1 }, { n: 1 }])
})

test("one that may not is counted after it", async () => {
  const deploy = await testDeploy(account)
  const run = await started(deploy, concurrently)
  await applyStatement(run, statement(run, 0), first)
  expect(await deploy.rows()).toEqual([{ name, finished: false, steps: 1 }])
  expect(
    await deploy.database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'account_id'::regclass"),
  ).toEqual([{ indisvalid: true }])
})

test("where the count is refused, so is the statement", async () => {
  const deploy = await testDeploy(account)
  const run = await started(deploy, `UPDATE account SET n = n + 1;\n${concurrently}`)
  await deploy.database.query("DELETE FROM _prisma_migrations")
  await expect(applyStatement(run, statement(run, 0), first)).rejects.toMatchObject({ name: "RowRefused" })
  expect(await deploy.database.query("SELECT n FROM account")).toEqual([{ n: 0 }, { n: 0 }])
})

test("a statement that is refused leaves its error and the count in the row", async () => {
  const deploy = await testDeploy(account)
  const run = await started(deploy, concurrently.replace("INDEX", "UNIQUE INDEX"))
  await expect(applyStatement(run, statement(run, 0), first)).rejects.toMatchObject({
    code: "L1015",
    details: {
      sqlstate: "23505",
      state: expect.stringContaining("It left the invalid index"),
    },
  })
  expect(await logs(deploy)).toMatchObject({ steps: 0, next: "refused" })
})

test("an interrupted one that the catalog shows as done is counted and not run again", async () => {
  const deploy = await testDeploy(`${account}; ${concurrently.replace("CONCURRENTLY", "")}`)
  const run = await started(deploy, concurrently)
  await applyStatement(run, statement(run, 0), { attempt: "interrupted", unattended: true })
  expect(await deploy.rows()).toEqual([{ name, finished: false, steps: 1 }])
})

test("an interrupted one whose outcome is not known is run again only where somebody asks for it", async () => {
  const sequence =
    "CREATE SEQUENCE calls; CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('calls'); COMMIT; END $$"
  const deploy = await testDeploy(sequence)
  const run = await started(deploy, "BEGIN;\nCOMMIT;\nCALL p();")
  const call = statement(run, 2)
  await expect(applyStatement(run, call, { attempt: "interrupted", unattended: true })).rejects.toMatchObject({
    code: "L1015",
    message: "the connection was lost while CALL p() ran, and whether it is done is not known",
  })
  expect(await deploy.database.query("SELECT is_called FROM calls")).toEqual([{ is_called: false }])
  await applyStatement(run, call, { attempt: "interrupted", unattended: false })
  expect(await deploy.database.query("SELECT is_called FROM calls")).toEqual([{ is_called: true }])
})

test.each(["SET lock_timeout = '7s'", "SELECT set_config('lock_timeout', '7s', false)"])(
  "the migration's own %s is kept, by recovering, building and repeating a statement",
  async (own) => {
    const deploy = await testDeploy(account, { lockTimeout: 50 })
    const run = await started(deploy, `${own};\n${concurrently}\nREINDEX INDEX CONCURRENTLY account_id;`)
    await applyStatement(run, statement(run, 0), first)
    await applyStatement(run, statement(run, 1), { attempt: "interrupted", unattended: true })
    expect(await lockTimeout(run)).toBe("7s")
    await applyStatement(run, statement(run, 2), { attempt: "refused", unattended: false })
    expect(await lockTimeout(run)).toBe("7s")
  },
)

test("without one of its own the deploy's lock_timeout is restored after a statement that waits without a limit", async () => {
  const deploy = await testDeploy(account, { lockTimeout: 50 })
  const run = await started(deploy, concurrently)
  await applyStatement(run, statement(run, 0), { attempt: "refused", unattended: false })
  expect(await lockTimeout(run)).toBe("50ms")
})

test("after a lock timeout a statement runs again, once, with the migration's own lock_timeout", async () => {
  const deploy = await testDeploy(account, { lockTimeout: 40, retries: 1 })
  const other = new pg.Client({ connectionString: deploy.database.url })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query("BEGIN; LOCK TABLE account")
  const request = { ...deploy.request, onEvent: () => void other.query("ROLLBACK") }
  const run = await started(deploy, `SET lock_timeout = '60ms';\nUPDATE account SET n = n + 1;\n${concurrently}`)
  await applyStatement({ ...run, request }, statement(run, 0), first)
  await applyStatement({ ...run, request }, statement(run, 1), first)
  expect(await lockTimeout(run)).toBe("60ms")
  expect(await deploy.database.query("SELECT n FROM account")).toEqual([{ n: 1 }, { n: 1 }])
})
