import { randomBytes } from "node:crypto"
import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"
import { until } from "../support/until.js"
import { queryOn } from "./query.js"
import { ownServer } from "./server.js"

const init = {
  "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY, n int);\nINSERT INTO account VALUES (1, 0);",
}
const change = (sql: string) => ({ ...init, "20260102000000_change": sql })

const deploy = ({ root }: TestProject, url: string, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

/** A database with the first migration, and a project with the second. */
async function prepared(sql: string): Promise<{ database: TestDatabase; project: TestProject }> {
  const database = await createDatabase()
  expect(await deploy(createProject({ migrations: init }), database.url)).toMatchObject({ exitCode: 0 })
  return { database, project: createProject({ migrations: change(sql) }) }
}

async function session({ url }: TestDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

const deployerWaits = (database: TestDatabase, event: string) =>
  until(`the deploy in ${event}`, async () => {
    const sessions =
      "SELECT FROM pg_stat_activity WHERE application_name = 'lockstep deploy' AND datname = current_database() AND wait_event_type || '/' || wait_event LIKE $1"
    return (await database.query(sessions, [event])).length > 0
  })

test("a deadlock is rolled back and tried again", async () => {
  const { database, project } = await prepared("LOCK TABLE account;\nLOCK TABLE other;\nUPDATE account SET n = n + 1;")
  await database.query("CREATE TABLE other (id int)")
  const other = await session(database)
  // PostgreSQL ends the one whose deadlock_timeout passes first: not this one.
  await other.query("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE other")
  const deploying = deploy(project, database.url, "--lock-timeout", "30s")
  await deployerWaits(database, "Lock/%")
  await other.query("LOCK TABLE account; COMMIT")
  const done = await deploying
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toContain("deadlock detected (40P01)")
  expect(await database.query("SELECT n FROM account")).toEqual([{ n: 1 }])
})

test("a serialization failure is rolled back and tried again", async () => {
  const { database, project } = await prepared(
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;\nSELECT n FROM account;\nSELECT pg_sleep(0.5);\nUPDATE account SET n = n * 2;",
  )
  const deploying = deploy(project, database.url)
  await deployerWaits(database, "Timeout/PgSleep")
  await database.query("UPDATE account SET n = n + 5")
  const done = await deploying
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toContain("could not serialize access due to concurrent update (40001)")
  expect(await database.query("SELECT n FROM account")).toEqual([{ n: 10 }])
})

test("a statement timeout is told with what to do about it, and leaves nothing", async () => {
  const { database, project } = await prepared("UPDATE account SET n = n + 1;\nSELECT pg_sleep(30);")
  await database.query(`ALTER DATABASE ${database.name} SET statement_timeout = '300ms'`)
  const failed = await deploy(project, database.url)
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain("error[L1012]: canceling statement due to statement timeout (PostgreSQL 57014)")
  expect(failed.stderr).toContain("migration.sql:2:1")
  expect(failed.stderr).toContain("by statement_timeout (raise it for this role")
  expect(failed.stderr).toContain("raise statement_timeout where that cancelled it, then run the same deploy again.")
  expect(failed.stderr).toContain(
    "nothing of this migration was applied or recorded; the earlier migration is applied.",
  )
  expect(await database.query("SELECT n FROM account")).toEqual([{ n: 0 }])
})

test("a transaction timeout, which ends the session, is not tried again and again; what is applied is said", async () => {
  const { database, project } = await prepared("UPDATE account SET n = n + 1;")
  project.migration(
    "20260103000000_long",
    `UPDATE account SET n = n + 1;\nSELECT pg_sleep(30);\n-- ${"x".repeat(70_000)}`,
  )
  await database.query(`ALTER DATABASE ${database.name} SET transaction_timeout = '300ms'`)
  const failed = await deploy(project, database.url)
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain(
    "error[L1012]: transaction_timeout ended the session while 20260103000000_long ran (PostgreSQL 25P04)",
  )
  expect(failed.stderr).toContain(
    "nothing of 20260103000000_long was applied or recorded. 1 migration was applied by this deploy, the last one is 20260102000000_change.",
  )
  expect(failed.stderr).toContain("raise transaction_timeout for this role or database")
  expect(await database.query("SELECT n FROM account")).toEqual([{ n: 1 }])
})

test("a transaction timeout in one statement of several leaves the row that --resume needs", async () => {
  const { database, project } = await prepared("VACUUM account;\nUPDATE account SET n = n + 1;\nSELECT pg_sleep(30);")
  await database.query(`ALTER DATABASE ${database.name} SET transaction_timeout = '300ms'`)
  const failed = await deploy(project, database.url)
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain("20260102000000_change is applied in part")
  project.migration("20260102000000_change", "VACUUM account;\nUPDATE account SET n = n + 1;\nSELECT 1;")
  expect(failed.stderr).toContain("lockstep deploy --resume")
  expect(await deploy(project, database.url, "--resume")).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT n FROM account")).toEqual([{ n: 1 }])
})

test("a table's lock that another session holds names that session, and the deploy gives up after --retries", async () => {
  const { database, project } = await prepared("ALTER TABLE account ADD COLUMN name text;")
  const reader = await session(database)
  await reader.query("SET application_name = 'reporting'; BEGIN; SELECT FROM account")
  const failed = await deploy(project, database.url, "--retries", "1")
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toMatch(
    /retry 1 of 1 in .*: ALTER TABLE account ADD COLUMN name text timed out waiting for ACCESS EXCLUSIVE; held by pid \d+ \(reporting, /,
  )
  expect(failed.stderr).toContain("error[L1014]")
  expect(failed.stderr).toContain("run the same deploy again")
})

test("a database that is read-only by default is refused before anything is touched", async () => {
  const { database, project } = await prepared("SELECT 1;")
  await database.query(`ALTER DATABASE ${database.name} SET default_transaction_read_only = on`)
  const refused = await deploy(project, database.url)
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain("error[L1022]")
  expect(refused.stderr).toContain("default_transaction_read_only = off")
})

test("a role that may not create tables is told the grant that it lacks", async () => {
  const database = await createDatabase()
  const role = `role_${randomBytes(4).toString("hex")}`
  await database.query(`CREATE ROLE ${role} LOGIN`)
  onTestFinished(async () => {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
  const url = new URL(database.url)
  url.username = role
  const project = createProject({ migrations: init })
  const refused = await deploy(project, url.href)
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain("error[L1023]")
  expect(refused.stderr).toContain(`GRANT CREATE, USAGE ON SCHEMA "public" TO "${role}"`)
  await database.query(`GRANT CREATE, USAGE ON SCHEMA public TO ${role}`)
  expect(await deploy(project, url.href)).toMatchObject({ exitCode: 0 })
})

test("a role that may not read the history is told so", async () => {
  const { database, project } = await prepared("SELECT 1;")
  const role = `role_${randomBytes(4).toString("hex")}`
  await database.query(`CREATE ROLE ${role} LOGIN`)
  onTestFinished(async () => {
    await database.query(`DROP ROLE ${role}`)
  })
  const url = new URL(database.url)
  url.username = role
  const refused = await deploy(project, url.href)
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain('error[L1110]: the role of the URL may not read "public"."_prisma_migrations"')
})

test("a right that a migration lacks is not said to be the file's fault", async () => {
  const { database, project } = await prepared("CREATE ROLE another_role;")
  const role = `role_${randomBytes(4).toString("hex")}`
  await database.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT, INSERT ON _prisma_migrations TO ${role}`)
  onTestFinished(async () => {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
  const url = new URL(database.url)
  url.username = role
  const refused = await deploy(project, url.href)
  expect(refused, refused.all).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("(PostgreSQL 42501)") })
  expect(refused.stderr).toContain("grant the role of the URL what it lacks, or deploy as another role, then run")
  expect(refused.stderr).not.toContain("fix the file")
})

test.each([
  ["disk_full", "free space on the server's disk, then run the same deploy again."],
  ["out_of_memory", "give the server more memory, then run the same deploy again."],
  ["io_error", "check the server's log, then run the same deploy again."],
  ["unique_violation", "fix the file, then run the same deploy again."],
])("the next step after %s is where its cause is", async (condition, next) => {
  const sql = `DO $$ BEGIN RAISE EXCEPTION 'as the server raises it' USING ERRCODE = '${condition}'; END $$;`
  const { database, project } = await prepared(sql)
  const refused = await deploy(project, database.url)
  expect(refused, refused.all).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`next:   ${next}`) })
})

test("a database is created by a role that may not connect to the database postgres, and where it cannot, that is said", async () => {
  const server = await ownServer()
  await queryOn(server.url, "CREATE ROLE creator LOGIN CREATEDB")
  await queryOn(server.url, "REVOKE CONNECT ON DATABASE postgres FROM PUBLIC")
  const url = new URL(server.url)
  url.username = "creator"
  url.pathname = "/shop"
  const project = createProject({ migrations: init })
  const created = await deploy(project, url.href)
  expect(created, created.all).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining('created the database "shop"'),
  })
  await queryOn(server.url, "REVOKE CONNECT ON DATABASE template1 FROM PUBLIC")
  url.pathname = "/other"
  const refused = await deploy(project, url.href)
  expect(refused, refused.all).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1023]") })
  expect(refused.stderr).toContain('needs a connection to the database "postgres" or "template1"')
  expect(refused.stderr).toContain('permission denied for database "postgres"')
  expect(refused.stderr).toContain('CREATE DATABASE "other" OWNER "creator"')
})

test("wrong credentials are not waited for", async () => {
  const { project } = await prepared("SELECT 1;")
  const database = await createDatabase()
  const url = new URL(database.url)
  url.username = "nobody_of_this_name"
  const refused = await deploy(project, url.href)
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).not.toContain("waiting for the database")
  expect(refused.stderr).toContain("error[L1214]")
})

test("a role that may read the history and not write it is told so", async () => {
  const { database, project } = await prepared("VACUUM account;")
  const role = `role_${randomBytes(4).toString("hex")}`
  await database.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT ON _prisma_migrations TO ${role}`)
  onTestFinished(async () => {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
  const url = new URL(database.url)
  url.username = role
  const refused = await deploy(project, url.href)
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain("error[L1017]: permission denied for table _prisma_migrations (PostgreSQL 42501)")
})
