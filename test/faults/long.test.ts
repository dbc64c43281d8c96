import pg from "pg"
import { afterAll, beforeAll, expect, test } from "vitest"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createPrismaProject, prisma } from "../support/prisma-cli.js"
import { createProject, type TestProject } from "../support/project.js"
import { until } from "../support/until.js"

/** What takes as long as the promise says, all of it at the same time. */
const init = {
  "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY, n int);\nINSERT INTO account VALUES (1, 0);",
}
const readerSeconds = 20

let replicated: { database: TestDatabase; project: TestProject }
let read: { database: TestDatabase; before: TestProject; project: TestProject }

beforeAll(async () => {
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n'
  const long = { "20260101000000_long": "CREATE TABLE account (id int PRIMARY KEY);\nSELECT pg_sleep(15);" }
  const alter = { ...init, "20260102000000_alter": "ALTER TABLE account ADD COLUMN name text;" }
  replicated = { database: await createDatabase(), project: createPrismaProject({ schema, migrations: long }) }
  read = {
    database: await createDatabase(),
    before: createProject({ migrations: init }),
    project: createProject({ migrations: alter }),
  }
})

afterAll(async () => {
  for (const { database } of [replicated, read]) await database.drop()
  for (const project of [replicated.project, read.before, read.project]) project.drop()
})

test.concurrent("a migration of 15 s, longer than stock Prisma waits, and three replicas of Prisma's CLI: all exit 0", async () => {
  const { database, project } = replicated
  const replicas = Array.from({ length: 3 }, () => prisma(["migrate", "deploy"], { project, url: database.url }))
  for (const one of await Promise.all(replicas)) expect(one, one.all).toMatchObject({ exitCode: 0 })
  expect(
    await database.query("SELECT applied_steps_count, finished_at IS NOT NULL AS done FROM _prisma_migrations"),
  ).toEqual([{ applied_steps_count: 1, done: true }])
}, 120_000)

test.concurrent("behind a reader of 20 s, no writer waits longer than a second, and the deploy gets through", async () => {
  const { database, before, project } = read
  await lockstep(["deploy"], { cwd: before.root, url: database.url })
  const reader = new pg.Client({ connectionString: database.url })
  await reader.connect()
  await reader.query("BEGIN; SELECT FROM account")
  let reading = true
  setTimeout(() => {
    reading = false
    void reader.query("COMMIT").then(() => reader.end())
  }, readerSeconds * 1000)

  const writer = new pg.Client({ connectionString: database.url })
  await writer.connect()
  const deploy = lockstepProcess(["deploy"], { cwd: project.root, url: database.url })
  let over = false
  void deploy.then(() => {
    over = true
  })
  let longest = 0
  let blocked = 0
  await until(
    "the deploy's end",
    async () => {
      const started = performance.now()
      await writer.query("UPDATE account SET n = n + 1")
      const lasted = performance.now() - started
      longest = Math.max(longest, lasted)
      if (reading && lasted > 100) blocked++
      return over
    },
    60,
  )
  await writer.end()
  expect(await deploy, (await deploy).all).toMatchObject({ exitCode: 0 })
  expect(reading).toBe(false)
  expect(blocked).toBeGreaterThan(0)
  expect(longest).toBeLessThan(1000)
}, 120_000)
