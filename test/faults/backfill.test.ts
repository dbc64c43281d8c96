import { setTimeout as pause } from "node:timers/promises"
import { expect, test } from "vitest"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"
import { hasPgBouncer, pgbouncer } from "./pgbouncer.js"
import { queryOn } from "./query.js"
import { randomFor, roundsOr } from "./random.js"
import { ownServer, standbyOf } from "./server.js"

const init = "20260101000000_init"
const migrations = { [init]: "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);\n" }
const count = 3000

/** Not idempotent: a row that was handled twice shows. Each row takes a while. */
const slow = `-- lockstep-after: ${init}\nUPDATE counter SET n = n + 1 WHERE pg_sleep(0.0003) IS NOT NULL;\n`

const options = ["--batch-time", "20ms", "--lock-timeout", "2s"]

async function open(sql = slow) {
  const database = await createDatabase()
  const project = createProject({ migrations, files: { "prisma/backfills/one.sql": sql } })
  const at = { cwd: project.root, url: database.url }
  expect(await lockstep(["deploy"], at)).toMatchObject({ exitCode: 0 })
  // In a new database there is nothing to fill, and the deploy has said so.
  await database.query(
    `DELETE FROM _lockstep.backfills; INSERT INTO counter SELECT g * 7 FROM generate_series(1, ${count}) g`,
  )
  const start = (...args: readonly string[]) => lockstepProcess(["backfill", ...options, ...args], at)
  return { database, project, at, start }
}

const handled = (database: TestDatabase) => database.query("SELECT n, count(*)::int FROM counter GROUP BY n ORDER BY n")

/** What the database records of a backfill that is under way, once it does. */
const batches = async (database: TestDatabase): Promise<number> => {
  const rows = await database.query("SELECT batches::int FROM _lockstep.backfills").catch(() => [])
  return Number(rows[0]?.batches ?? 0)
}

const underWay = (database: TestDatabase, more = 1) => {
  const before = batches(database)
  return until("a batch that is recorded", async () => (await batches(database)) >= (await before) + more)
}

test("killed again and again, client and server, every row is handled once", async () => {
  const random = randomFor("backfill")
  const { database, start } = await open()
  for (let round = 0; round < roundsOr(8); round++) {
    const child = start()
    await underWay(database, 1 + random.below(3))
    await pause(random.below(40))
    if (round % 2 === 0) child.kill("SIGKILL")
    else
      await database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep backfill'",
      )
    if (round % 2 === 1) child.kill("SIGKILL")
    await child
    if ((await database.query("SELECT FROM _lockstep.backfills WHERE finished_at IS NOT NULL")).length > 0) break
  }
  const last = await start()
  expect(last, last.all).toMatchObject({ exitCode: 0 })
  expect(await handled(database)).toEqual([{ n: 1, count }])
}, 120_000)

test("a lost connection is opened again, and the run continues where it was", async () => {
  const { database, start } = await open()
  const child = start()
  for (let round = 0; round < 3; round++) {
    await underWay(database)
    await database.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep backfill'",
    )
  }
  const ended = await child
  expect(ended, ended.all).toMatchObject({ exitCode: 0 })
  expect(ended.stderr).toMatch(/retry 1 of 10 in .*: the connection was lost: terminating connection/)
  expect(await handled(database)).toEqual([{ n: 1, count }])
}, 60_000)

test("of several processes one runs it, and the others wait for it", async () => {
  const { database, start } = await open()
  const first = start()
  await underWay(database)
  const refused = await start("--lock-wait", "0")
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toMatch(
    /error\[L2106\]: the backfill one is run by lockstep backfill \(pid \d+, 127\.0\.0\.1\); waited 0 s/,
  )
  const ended = await Promise.all([first, start(), start()])
  expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0])
  expect(ended[1]?.stderr).toMatch(/one: run by lockstep backfill \(pid \d+, .*\), waiting for it/)
  expect(ended.slice(1).map(({ stdout }) => stdout)).toEqual(
    Array(2).fill("Nothing to do: 1 backfill finished before."),
  )
  expect(await handled(database)).toEqual([{ n: 1, count }])
}, 60_000)

test("a deploy runs meanwhile", async () => {
  const { database, project, at, start } = await open()
  const child = start()
  await underWay(database)
  project.migration("20260201000000_more", "ALTER TABLE counter ADD COLUMN more int;\n")
  const deployed = await lockstep(["deploy", "--lock-wait", "0", "--lock-timeout", "5s"], at)
  expect(deployed, deployed.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT FROM _lockstep.backfills WHERE finished_at IS NULL")).toHaveLength(1)
  expect(await child).toMatchObject({ exitCode: 0 })
  expect(await handled(database)).toEqual([{ n: 1, count }])
}, 60_000)

test("a signal ends it after a batch that soon ends, and what is done is known", async () => {
  const { database, start } = await open()
  const child = start()
  await underWay(database, 2)
  child.kill("SIGTERM")
  const ended = await child
  expect(ended, ended.all).toMatchObject({ exitCode: 143 })
  expect(ended.stderr).toMatch(
    /interrupted: [\d,]+ rows are changed, in \d+ batches that are committed and recorded; the others are as they were\.$/,
  )
  const [recorded] = await database.query("SELECT rows::int, error FROM _lockstep.backfills")
  expect(await database.query("SELECT count(*)::int AS rows, NULL AS error FROM counter WHERE n = 1")).toEqual([
    recorded,
  ])
  expect(await start()).toMatchObject({ exitCode: 0 })
  expect(await handled(database)).toEqual([{ n: 1, count }])
}, 60_000)

test("a signal cancels a batch that takes longer", async () => {
  const { database, start } = await open("UPDATE counter SET n = n + 1 WHERE pg_sleep(10) IS NOT NULL")
  const child = start()
  await until("the batch", async () => {
    const sleeping =
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '-- backfill one%' AND wait_event = 'PgSleep'"
    return (await database.query(sleeping)).length > 0
  })
  child.kill("SIGTERM")
  expect(await child).toMatchObject({
    exitCode: 143,
    stderr: expect.stringContaining("interrupted: no row was changed."),
  })
  expect(await handled(database)).toEqual([{ n: 0, count }])
  const left =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep backfill'"
  await until("the session's end", async () => (await database.query(left)).length === 0)
}, 60_000)

test.skipIf(!hasPgBouncer)("PgBouncer in transaction mode is refused", async () => {
  const { database, at } = await open()
  const url = await pgbouncer(database.url, "transaction")
  for (const args of [[], ["--list"], ["--dry-run"]]) {
    const refused = await lockstep(["backfill", ...args], { ...at, url })
    expect(refused, refused.all).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("error[L1021]") })
  }
  expect(await handled(database)).toEqual([{ n: 0, count }])
})

test.skipIf(!hasPgBouncer)("PgBouncer in session mode serves", async () => {
  const { database, at } = await open()
  const url = await pgbouncer(database.url, "session")
  expect(await lockstep(["backfill"], { ...at, url })).toMatchObject({ exitCode: 0 })
  expect(await handled(database)).toEqual([{ n: 1, count }])
})

test("it waits for a replica that is behind, and says where the role may not see how far", async () => {
  const server = await ownServer({ wal_level: "replica", max_wal_senders: 4 })
  const table = "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)"
  await queryOn(server.url, `${table}; INSERT INTO counter SELECT generate_series(1, 3000); CREATE ROLE modest LOGIN`)
  await queryOn(server.url, "GRANT ALL ON counter TO modest; CREATE SCHEMA _lockstep AUTHORIZATION modest")
  await server.stop("fast")
  const standby = await standbyOf(server, "follows")
  await server.restart()
  const streaming = "SELECT FROM pg_stat_replication WHERE state = 'streaming'"
  await until("the replica", async () => (await queryOn(server.url, streaming)).length > 0)
  const { root } = createProject({ files: { "prisma/backfills/one.sql": "UPDATE counter SET n = n + 1" } })
  const modest = Object.assign(new URL(server.url), { username: "modest", password: "" })
  const refused = await lockstep(["backfill", "--max-lag", "1s"], { cwd: root, url: modest.href })
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain('error[L2109]: the role "modest" may not see how far the replicas are behind')
  await queryOn(standby, "SELECT pg_wal_replay_pause()")
  const args = ["backfill", "--max-lag", "300ms", "--batch", "100", "--pause", "50ms"]
  const child = lockstepProcess(args, { cwd: root, url: server.url })
  let said = ""
  child.all.on("data", (chunk) => {
    said += chunk
  })
  await until("that it waits", () => /one: \S+ is \d+ ms behind, waiting for it/.test(said))
  const batches = async () => (await queryOn(server.url, "SELECT batches::int AS n FROM _lockstep.backfills"))[0]?.n
  expect(await batches()).toBeLessThan(30)
  await queryOn(standby, "SELECT pg_wal_replay_resume()")
  expect(await child).toMatchObject({ exitCode: 0 })
  expect(await queryOn(server.url, "SELECT DISTINCT n FROM counter")).toEqual([{ n: 1 }])
}, 60_000)
