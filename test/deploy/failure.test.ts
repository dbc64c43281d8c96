import { describe, expect, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { until } from "../support/until.js"

const deploy = ({ root }: TestProject, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

const counter = { "20260101000000_init": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);" }

const count = async ({ query }: TestDatabase) => (await query("SELECT n FROM counter"))[0]?.n

/** Too large to share a message with others. */
const alone = (sql: string) => `-- ${"x".repeat(70_000)}\n${sql}`

const finishedRows = ({ query }: TestDatabase) =>
  query("SELECT FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL")

const sleeps = async ({ query }: TestDatabase) =>
  (
    await query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep' AND pid <> pg_backend_pid()",
    )
  ).length > 0

describe.each(["DISCARD ALL;", "SELECT pg_advisory_unlock_all();"])("a migration that drops the lock: %s", (drop) => {
  const migrations = {
    ...counter,
    "20260102000000_drop": drop,
    "20260103000000_count": alone("SELECT pg_sleep(1.5);\nUPDATE counter SET n = n + 1;"),
  }

  test("the next migration runs under the lock again: two deploys apply it once, both exit 0", async () => {
    const database = await createDatabase()
    const project = createProject({ migrations })
    const first = deploy(project, database)
    await until("the long migration", () => sleeps(database))
    const [one, two] = await Promise.all([first, deploy(project, database)])
    expect(one, one.all).toMatchObject({ exitCode: 0 })
    expect(two, two.all).toMatchObject({ exitCode: 0 })
    expect(await count(database)).toBe(1)
    expect(await finishedRows(database)).toHaveLength(3)
    // Lockstep runs a DISCARD ALL so that it keeps the lock.
    expect(one.stderr.includes("lost the migration lock")).toBe(drop !== "DISCARD ALL;")
  })
})

test("a migration that drops the lock and runs on is applied once all the same", async () => {
  const database = await createDatabase()
  const project = createProject({
    migrations: {
      ...counter,
      "20260102000000_count": "SELECT pg_advisory_unlock_all();\nSELECT pg_sleep(1.5);\nUPDATE counter SET n = n + 1;",
    },
  })
  const first = deploy(project, database)
  await until("the long migration", () => sleeps(database))
  const [one, two] = await Promise.all([first, deploy(project, database)])
  expect(one, one.all).toMatchObject({ exitCode: 0 })
  expect(two, two.all).toMatchObject({ exitCode: 0 })
  expect(await count(database)).toBe(1)
  expect(await finishedRows(database)).toHaveLength(2)
})

test("many small migrations, one of which drops the lock: all are applied once", async () => {
  const database = await createDatabase()
  const many = Object.fromEntries(
    Array.from({ length: 20 }, (_, index): [string, string] => [
      `${20260102000000 + index}_count`,
      index === 9 ? "SELECT pg_advisory_unlock_all();" : "UPDATE counter SET n = n + 1;",
    ]),
  )
  const done = await deploy(createProject({ migrations: { ...counter, ...many } }), database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await count(database)).toBe(19)
  expect(await finishedRows(database)).toHaveLength(21)
})
