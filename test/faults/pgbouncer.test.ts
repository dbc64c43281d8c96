import { expect, test } from "vitest"
import { lockKey } from "../../src/history/lock.js"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"
import { hasPgBouncer, pgbouncer } from "./pgbouncer.js"
import { queryOn } from "./query.js"
import { ownServer } from "./server.js"

const migrations = {
  "20260101000000_init": "CREATE TABLE account (id int);\nSELECT pg_sleep(0.5);",
  "20260102000000_index": "CREATE INDEX CONCURRENTLY account_id ON account (id);",
}

test.skipIf(!hasPgBouncer)(
  "PgBouncer in transaction mode is refused: a session's lock protects nothing there",
  async () => {
    const database = await createDatabase()
    const url = await pgbouncer(database.url, "transaction")
    const refused = await lockstep(["deploy"], { cwd: createProject({ migrations }).root, url })
    expect(refused, refused.all).toMatchObject({ exitCode: 2 })
    expect(refused.stderr).toContain("error[L1021]")
    expect(refused.stderr).toContain("set DATABASE_URL to the database's direct address")
    expect(await database.query("SELECT to_regclass('_prisma_migrations') AS history")).toEqual([{ history: null }])
  },
)

test.skipIf(!hasPgBouncer)("nothing else that reads or writes a history goes through it either", async () => {
  const database = await createDatabase()
  const url = await pgbouncer(database.url, "transaction")
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n\nmodel User {\n  id Int @id\n}\n'
  const { root } = createProject({ migrations, schema })
  for (const args of [["status"], ["plan"], ["wait", "--applied"], ["reset", "--yes"], ["push"]]) {
    const refused = await lockstep(args, { cwd: root, url })
    expect(refused, refused.all).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("error[L1021]") })
  }
  expect(await lockstep(["wait"], { cwd: root, url })).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace")).toEqual([])
})

test.skipIf(!hasPgBouncer)(
  "PgBouncer in session mode lets a push and a reset through, in the URL's schema",
  async () => {
    const database = await createDatabase()
    const url = `${await pgbouncer(database.url, "session")}?schema=shop`
    const schema = 'datasource db {\n  provider = "postgresql"\n}\n\nmodel User {\n  id Int @id\n}\n'
    const { root } = createProject({ migrations, schema })
    for (const args of [["push"], ["reset", "--yes"], ["status"]]) {
      const done = await lockstep(args, { cwd: root, url })
      expect(done, done.all).toMatchObject({ exitCode: 0 })
    }
    expect(
      await database.query(
        "SELECT to_regclass('shop.account') IS NOT NULL AS shop, to_regclass('public.account') AS public",
      ),
    ).toEqual([{ shop: true, public: null }])
  },
)

test.skipIf(!hasPgBouncer)("scratch databases are made through a pool in session mode, and none is left", async () => {
  // Other tests have scratch databases on the run's server.
  const server = await ownServer()
  const url = await pgbouncer(server.url, "session")
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n\nmodel User {\n  id Int @id\n}\n'
  const { root } = createProject({ schema })
  const written = await lockstep(["migrate", "--name", "init"], { cwd: root, url })
  expect(written, written.all).toMatchObject({ exitCode: 0 })
  const undone = await lockstep(["undo", "--accept-data-loss"], { cwd: root, url })
  expect(undone, undone.all).toMatchObject({ exitCode: 0 })
  expect(await queryOn(server.url, "SELECT FROM pg_stat_activity WHERE datname LIKE 'lockstep_scratch_%'")).toEqual([])
})

test.skipIf(!hasPgBouncer)(
  "where a pool serves listed databases only, a scratch database's error says so",
  async () => {
    const server = await ownServer()
    const { root } = createProject({ migrations })
    const url = await pgbouncer(server.url, "session", { databases: "the URL's" })
    const refused = await lockstep(["diff", "empty", "history"], { cwd: root, url })
    expect(refused, refused.all).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1404]") })
    expect(refused.stderr).toContain("A pooler may serve only the databases that its configuration names")
    expect(await queryOn(server.url, "SELECT FROM pg_database WHERE datname LIKE 'lockstep_scratch_%'")).toEqual([])
  },
)

test.skipIf(!hasPgBouncer)("PgBouncer in transaction mode is known while others use its connections, too", async () => {
  const database = await createDatabase()
  const url = await pgbouncer(database.url, "transaction", { poolSize: 2 })
  let over = false
  const others = Array.from({ length: 4 }, async () => {
    while (!over) await queryOn(url, "SELECT pg_sleep(0.01)")
  })
  const refused = await lockstep(["deploy"], { cwd: createProject({ migrations }).root, url })
  over = true
  await Promise.all(others)
  expect(refused, refused.all).toMatchObject({ exitCode: 2 })
})

test.skipIf(!hasPgBouncer).each([0.05, 1.5])(
  "PgBouncer in transaction mode with all of its connections busy for %s s is not taken for a session pool",
  async (seconds) => {
    const database = await createDatabase()
    const url = await pgbouncer(database.url, "transaction", { poolSize: 2 })
    const init = { "20260101000000_init": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);" }
    const { root, migration } = createProject({ migrations: init })
    await lockstep(["deploy"], { cwd: root, url: database.url })
    migration("20260102000000_count", "SELECT pg_sleep(1);\nUPDATE counter SET n = n + 1;")
    let over = false
    const others = Array.from({ length: 5 }, async () => {
      while (!over) await queryOn(url, `SELECT pg_sleep(${seconds})`)
    })
    const deploys = Array.from({ length: 3 }, () =>
      lockstepProcess(["deploy", "--connect-timeout", "4s"], { cwd: root, url }),
    )
    const all = await Promise.all(deploys)
    over = true
    await Promise.all(others)
    for (const done of all) {
      expect(done, done.all).toMatchObject({ exitCode: 2 })
      expect(done.stderr).toContain("error[L1021]")
    }
    expect(await database.query("SELECT n FROM counter")).toEqual([{ n: 0 }])
  },
)

test.skipIf(!hasPgBouncer)(
  "a session pool that resets nothing keeps neither the lock nor a setting of ours",
  async () => {
    const database = await createDatabase()
    const url = await pgbouncer(database.url, "session", { poolSize: 3, more: ["server_reset_query ="] })
    const { root } = createProject({ migrations })
    const done = await lockstep(["deploy"], { cwd: root, url })
    expect(done, done.all).toMatchObject({ exitCode: 0 })
    const ours =
      "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    expect(await database.query(ours)).toEqual([])
    expect(await queryOn(url, "SELECT current_setting('lock_timeout') AS wait")).toEqual([{ wait: "0" }])
    const failing = createProject({ migrations: { ...migrations, "20260103000000_fails": "SELECT 1/0;" } })
    expect(await lockstep(["deploy"], { cwd: failing.root, url })).toMatchObject({ exitCode: 1 })
    expect(await database.query(ours)).toEqual([])
  },
)

test.skipIf(!hasPgBouncer)(
  "a lock that a killed deployer left in a session pool that resets nothing is released",
  async () => {
    const database = await createDatabase()
    const url = await pgbouncer(database.url, "session", { poolSize: 2, more: ["server_reset_query ="] })
    const { root } = createProject({ migrations })
    await queryOn(url, `SELECT pg_advisory_lock(${lockKey})`)
    const done = await lockstep(["deploy", "--lock-wait", "2s"], { cwd: root, url })
    expect(done, done.all).toMatchObject({ exitCode: 0 })
  },
)

test.skipIf(!hasPgBouncer)("PgBouncer in session mode works, with several deployers at once", async () => {
  const database = await createDatabase()
  const url = await pgbouncer(database.url, "session", { poolSize: 20 })
  const { root } = createProject({ migrations })
  const deployers = Array.from({ length: 3 }, () => lockstepProcess(["deploy"], { cwd: root, url }))
  for (const done of await Promise.all(deployers)) expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT FROM _prisma_migrations")).toHaveLength(2)
})

test.skipIf(!hasPgBouncer)("SIGTERM cancels the statement behind PgBouncer, too", async () => {
  const database = await createDatabase()
  const url = await pgbouncer(database.url, "session")
  const { root } = createProject({ migrations: { "20260101000000_long": "SELECT pg_sleep(30);" } })
  const child = lockstepProcess(["deploy"], { cwd: root, url })
  const sessions =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(30)%' AND state = 'active' AND pid <> pg_backend_pid()"
  await until("the statement", async () => (await database.query(sessions)).length > 0)
  child.kill("SIGTERM")
  expect(await child).toMatchObject({ exitCode: 143 })
  await until("its end", async () => (await database.query(sessions)).length === 0, 2)
})

test.skipIf(!hasPgBouncer)(
  "a fleet goes through a pool in session mode, and not through one that shares sessions",
  async () => {
    const { root } = createProject({ migrations: { "20260101000000_init": "CREATE TABLE account (id int);" } })
    const database = await createDatabase()
    const deploy = async (mode: "session" | "transaction") => {
      const url = await pgbouncer(database.url, mode)
      const input = ["a", "b", "c"].map((schema) => JSON.stringify({ url, schema })).join("\n")
      const args = ["deploy", "--targets", "-", "--concurrency", "2", "--max-failures", "3"]
      return await lockstepProcess(args, { cwd: root, input })
    }
    const refused = await deploy("transaction")
    expect(refused.stdout.match(/error\[L1021\]/g)).toHaveLength(1)
    expect(refused.stdout).toContain("0 of 3 up to date, 3 failed.")
    const deployed = await deploy("session")
    expect(deployed, deployed.all).toMatchObject({ exitCode: 0 })
    expect(deployed.stdout).toContain("Up to date: 3 of 3 targets, 3 changed")
  },
)
