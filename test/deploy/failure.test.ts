import { describe, expect, test } from "vitest"
import { lockstep } from "../cli.js"
import { createDatabase, type TestDatabase } from "../postgres.js"
import { createProject, type TestProject } from "../project.js"
import { until } from "../until.js"

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
    expect(one.stderr).toContain("lost the migration lock")
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

const swallowing = {
  "a trigger that returns NULL": {
    sql: `CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER no_rows BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION swallow();`,
    named: "the trigger no_rows",
  },
  "a rule": {
    sql: "CREATE RULE no_rows AS ON INSERT TO _prisma_migrations DO INSTEAD NOTHING;",
    named: "the rule no_rows",
  },
}

describe.each(Object.entries(swallowing))("a history that loses its rows to %s", (_, { sql, named }) => {
  test.each([
    ["transactional", "UPDATE counter SET n = n + 1;"],
    ["with a statement outside of a transaction", "UPDATE counter SET n = n + 1;\nVACUUM counter;"],
  ])("a migration %s is not applied, not tried again, and the cause is named", async (_, migration) => {
    const database = await createDatabase()
    const project = createProject({ migrations: counter })
    await deploy(project, database)
    await database.query(sql)
    project.migration("20260102000000_count", migration)
    const failed = await deploy(project, database, "--retries", "5")
    expect(failed, failed.all).toMatchObject({ exitCode: 1 })
    expect(failed.stderr).toContain("error[L1018]: the history table does not keep the row of 20260102000000_count")
    expect(failed.stderr).toContain(named)
    expect(failed.stderr).toContain("state:  nothing of this migration was applied or recorded")
    expect(failed.stderr).not.toContain("retry")
    expect(await count(database)).toBe(0)
  })
})

test("row-level security that hides the rows: nothing is applied, and the policy is named", async () => {
  const database = await createDatabase()
  const role = `guest_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN; GRANT ALL ON SCHEMA public TO ${role}`)
  const url = new URL(database.url)
  url.username = role
  const guest = { ...database, url: url.href }
  const project = createProject({ migrations: counter })
  try {
    await deploy(project, database)
    await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
      ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY;
      CREATE POLICY only_in ON _prisma_migrations FOR INSERT WITH CHECK (true);`)
    project.remove("prisma/migrations/20260101000000_init")
    project.migration("20260102000000_count", "UPDATE counter SET n = n + 1;")
    for (let again = 0; again < 2; again++) {
      const failed = await deploy(project, guest)
      expect(failed, failed.all).toMatchObject({ exitCode: 1 })
      expect(failed.stderr).toContain("error[L1018]")
      expect(failed.stderr).toContain("the row-level security policy only_in")
    }
    expect(await count(database)).toBe(0)
  } finally {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  }
})

describe("between migrations the session is as new", () => {
  const deployed = async (left: string, next: string) => {
    const database = await createDatabase()
    const migrations = { ...counter, "20260102000000_left": left, "20260103000000_next": next }
    const done = await deploy(createProject({ migrations }), database)
    expect(done, done.all).toMatchObject({ exitCode: 0 })
    return database
  }

  test.each([
    ["in one message", ""],
    ["statement by statement", "\nVACUUM counter;"],
  ])("a temporary table does not hide the table of the same name, %s", async (_, more) => {
    const database = await deployed(
      `CREATE TEMP TABLE counter (id int);${more}`,
      `ALTER TABLE counter ADD COLUMN name text;${more}`,
    )
    expect(await database.query("SELECT name FROM counter")).toEqual([{ name: null }])
  })

  test("prepared statements, cursors and notifications are gone, and a role does not stay", async () => {
    const database = await deployed(
      `PREPARE again AS SELECT 1;
       DECLARE held CURSOR WITH HOLD FOR SELECT 1;
       LISTEN news;
       SET ROLE pg_monitor;`,
      `CREATE TABLE seen AS SELECT (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
         (SELECT count(*)::int FROM pg_cursors WHERE is_holdable) AS cursors,
         (SELECT count(*)::int FROM pg_listening_channels()) AS channels, current_user = session_user AS same;`,
    )
    expect(await database.query("SELECT * FROM seen")).toEqual([{ prepared: 0, cursors: 0, channels: 0, same: true }])
  })

  test("a migration may still begin with SET TRANSACTION", async () => {
    const database = await deployed(
      "SELECT 1;",
      "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\nUPDATE counter SET n = 7;",
    )
    expect(await count(database)).toBe(7)
  })
})
