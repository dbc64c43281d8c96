import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { lockKey } from "../../../src/history/lock.js"
import { type CliProcess, lockstep as lockstepProcess } from "../../support/cli.js"
import { lockstep } from "../../support/in-process.js"
import { createDatabase, type TestDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"
import { until } from "../../support/until.js"

const init = { "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY);" }

/** Somebody who holds an advisory lock: the migration lock, as Prisma's engine or another Lockstep would, or another one. */
async function holder(database: TestDatabase, key = lockKey): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url, application_name: "reporting" })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`SELECT pg_advisory_lock(${key})`)
  return client
}

const waits = (child: CliProcess) =>
  new Promise<string>((resolve) =>
    child.stderr.on("data", (chunk) => String(chunk).includes("waiting") && resolve(String(chunk))),
  )

test("a second deployer waits and says for whom, then finds nothing to do", async () => {
  const database = await createDatabase()
  const gate = await holder(database, 4711)
  const held = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid"
  const long = `DO $$ BEGIN WHILE EXISTS (${held} = 4711) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;`
  const { root } = createProject({ migrations: { ...init, "20260102000000_long": long } })
  const first = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await until("the first one's migration", async () => {
    const here = "database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    return (await database.query(`${held} = ${lockKey} AND ${here}`)).length > 0
  })
  const second = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await waits(second)
  await gate.end()
  const [one, two] = await Promise.all([first, second])
  expect(one, one.all).toMatchObject({ exitCode: 0 })
  expect(two, two.all).toMatchObject({ exitCode: 0 })
  expect(two.stderr).toMatch(
    /waiting for the migration lock: held for .* by lockstep deploy \(pid \d+, 127\.0\.0\.1\), running 20260101000000_init and 1 more$/m,
  )
  expect(two.stdout).toMatch(
    /^(1 pending migration was|2 pending migrations were) applied meanwhile by another deployer\. Nothing to do\. /,
  )
})

test("--lock-wait 0 does not wait, and names the holder, what it does and what to do about it", async () => {
  const database = await createDatabase()
  const client = await holder(database)
  await client.query("SELECT 42 AS answer")
  const { root } = createProject({ migrations: init })
  const { exitCode, stderr } = await lockstep(["deploy", "--lock-wait", "0"], { cwd: root, url: database.url })
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(
    /error\[L1020\]: the migration lock is held by reporting \(pid \d+, 127\.0\.0\.1\); waited 0 s/,
  )
  expect(stderr).toContain("SELECT 42 AS answer")
  expect(stderr).toContain("nothing was touched by this deploy.")
  expect(stderr).toMatch(/SELECT pg_terminate_backend\(\d+\)/)
  expect(await database.query("SELECT to_regclass('account') AS account")).toEqual([{ account: null }])
})

test("the lock is waited for up to --lock-wait", async () => {
  const database = await createDatabase()
  await holder(database)
  const { root } = createProject({ migrations: init })
  const { exitCode, stderr } = await lockstep(["deploy", "--lock-wait", "1s"], { cwd: root, url: database.url })
  expect(exitCode).toBe(1)
  expect(stderr).toContain("waiting for the migration lock: held for")
  expect(stderr).toMatch(/waited 1 s|waited 2 s/)
})

test("the waiter has no snapshot that a concurrent index build would wait for", async () => {
  const database = await createDatabase()
  const client = await holder(database)
  const { root } = createProject({ migrations: init })
  const waiter = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await waits(waiter)
  await client.query("CREATE TABLE built (id int)")
  await client.query("CREATE INDEX CONCURRENTLY built_id ON built (id)")
  await client.query(`SELECT pg_advisory_unlock(${lockKey})`)
  expect(await waiter).toMatchObject({ exitCode: 1 })
  expect((await waiter).stderr).toContain("error[L1103]")
})
