import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { lockKey } from "../../src/history/lock.js"
import { type CliProcess, lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"

const init = { "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY);\nINSERT INTO account VALUES (1);" }

const working = (database: TestDatabase, what: string) =>
  until(`${what} on the server`, async () => {
    const rows = await database.query(
      "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lockstep%' AND state = 'active' AND query LIKE $1 AND pid <> pg_backend_pid()",
      [`%${what}%`],
    )
    return rows.length > 0
  })

/** Nothing of the deploy is left on the server, soon. */
const gone = (database: TestDatabase) =>
  until(
    "no session of the deploy on the server",
    async () => {
      const sessions =
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep deploy'"
      return (await database.query(sessions)).length === 0
    },
    2,
  )

const said = (child: CliProcess, text: string) => {
  let all = ""
  child.all.on("data", (chunk) => {
    all += chunk
  })
  return until(`"${text}"`, () => all.includes(text))
}

const tables = async (database: TestDatabase) =>
  (
    await database.query(
      "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1",
    )
  ).map(({ relname }) => relname)

for (const [signal, exitCode] of [
  ["SIGTERM", 143],
  ["SIGINT", 130],
] as const) {
  test(`${signal} during a long statement cancels it on the server, leaves nothing half-done and exits ${exitCode}`, async () => {
    const database = await createDatabase()
    const { root } = createProject({
      migrations: { ...init, "20260102000000_long": "CREATE TABLE half (id int);\nSELECT pg_sleep(30);" },
    })
    const child = lockstepProcess(["deploy"], { cwd: root, url: database.url })
    await working(database, "pg_sleep(30)")
    child.kill(signal)
    const [ended] = await Promise.all([child, gone(database)])
    expect(ended, ended.all).toMatchObject({ exitCode })
    expect(ended.stderr).toContain("interrupted: nothing of this migration was applied or recorded")
    expect(await tables(database)).toEqual(["_prisma_migrations", "account"])
    expect(await database.query("SELECT migration_name FROM _prisma_migrations")).toHaveLength(1)
  })
}

test("SIGTERM during a statement that traps the cancellation ends it all the same", async () => {
  const database = await createDatabase()
  const trap = "DO $$ BEGIN PERFORM pg_sleep(30); EXCEPTION WHEN query_canceled THEN PERFORM pg_sleep(30); END $$;"
  const { root } = createProject({ migrations: { "20260101000000_trap": trap } })
  const child = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await working(database, "pg_sleep(30)")
  child.kill("SIGTERM")
  const [ended] = await Promise.all([child, gone(database)])
  expect(ended, ended.all).toMatchObject({ exitCode: 143 })
})

test("SIGTERM during the wait for the migration lock touches nothing", async () => {
  const database = await createDatabase()
  const { root } = createProject({ migrations: init })
  const holder = new pg.Client({ connectionString: database.url, application_name: "reporting" })
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query(`SELECT pg_advisory_lock(${lockKey})`)
  const child = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await said(child, "waiting for the migration lock: held for")
  child.kill("SIGTERM")
  const [ended] = await Promise.all([child, gone(database)])
  expect(ended, ended.all).toMatchObject({ exitCode: 143 })
  expect(ended.stderr).toContain("by reporting (pid")
  expect(await tables(database)).toEqual([])
})

test("SIGTERM between migrations leaves whole ones, and the next deploy applies the rest", async () => {
  const database = await createDatabase()
  const migrations = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [
      `202601010000${10 + index}_part`,
      `-- ${"x".repeat(70_000)}\nCREATE TABLE part${10 + index} (id int);\nSELECT pg_sleep(0.02);`,
    ]),
  )
  const { root } = createProject({ migrations })
  const child = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await said(child, "20260101000012_part")
  child.kill("SIGTERM")
  const ended = await child
  expect(ended, ended.all).toMatchObject({ exitCode: 143 })
  const [row] = await database.query(
    "SELECT count(*)::int AS recorded FROM _prisma_migrations WHERE finished_at IS NOT NULL",
  )
  expect((await tables(database)).length - 1).toBe(row?.recorded)
  expect(await lockstep(["deploy"], { cwd: root, url: database.url })).toMatchObject({ exitCode: 0 })
  expect(await tables(database)).toHaveLength(31)
})

test("SIGTERM during the wait for a database that is not up", async () => {
  const { root } = createProject({ migrations: init })
  const child = lockstepProcess(["deploy"], { cwd: root, url: "postgresql://nobody@127.0.0.1:1/none" })
  await said(child, "waiting for the database")
  child.kill("SIGTERM")
  expect(await child).toMatchObject({ exitCode: 143 })
})

test("SIGTERM during a concurrent index build names the invalid index, and --resume builds it", async () => {
  const database = await createDatabase()
  const { root } = createProject({
    migrations: { ...init, "20260102000000_index": "CREATE INDEX CONCURRENTLY account_id ON account (id);" },
  })
  const reader = new pg.Client({ connectionString: database.url })
  await reader.connect()
  onTestFinished(() => reader.end())
  await lockstep(["deploy"], { cwd: createProject({ migrations: init }).root, url: database.url })
  // A concurrent build waits for every older transaction that has the table open.
  await reader.query("BEGIN; INSERT INTO account VALUES (2)")
  const child = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await working(database, "CREATE INDEX CONCURRENTLY")
  child.kill("SIGTERM")
  const [ended] = await Promise.all([child, gone(database)])
  expect(ended, ended.all).toMatchObject({ exitCode: 143 })
  expect(ended.stderr).toContain('the invalid index "account_id", which --resume drops')
  await reader.query("COMMIT")
  const resumed = await lockstep(["deploy", "--resume"], { cwd: root, url: database.url })
  expect(resumed, resumed.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'account_id'::regclass")).toEqual([
    { indisvalid: true },
  ])
})

test("a signal during the wait for a table's lock leaves nothing behind", async () => {
  const database = await createDatabase()
  await lockstep(["deploy"], { cwd: createProject({ migrations: init }).root, url: database.url })
  const { root } = createProject({
    migrations: { ...init, "20260102000000_alter": "ALTER TABLE account ADD COLUMN name text;" },
  })
  const reader = new pg.Client({ connectionString: database.url, application_name: "reporting" })
  await reader.connect()
  onTestFinished(() => reader.end())
  await reader.query("BEGIN; SELECT FROM account")
  const child = lockstepProcess(["deploy"], { cwd: root, url: database.url })
  await said(child, "retry 1 of")
  child.kill("SIGTERM")
  const [ended] = await Promise.all([child, gone(database)])
  expect(ended, ended.all).toMatchObject({ exitCode: 143 })
  expect(ended.stderr).toContain("timed out waiting for ACCESS EXCLUSIVE; held by pid")
  expect(ended.stderr).toContain("(reporting, 127.0.0.1), idle in transaction for")
})
