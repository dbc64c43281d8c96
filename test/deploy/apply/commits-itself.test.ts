import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { lockstep } from "../../support/in-process.js"
import { createDatabase, type TestDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"
import { until } from "../../support/until.js"

const name = "20260102000000_call"
const init = {
  "20260101000000_init": `CREATE TABLE account (id int PRIMARY KEY, n int);
INSERT INTO account VALUES (1, 0);
CREATE TABLE other (id int);
CREATE PROCEDURE pp() LANGUAGE plpgsql AS $$ BEGIN UPDATE account SET n = n + 1; COMMIT; END $$;
CREATE PROCEDURE slow() LANGUAGE plpgsql AS $$ BEGIN CALL pp(); PERFORM pg_sleep(60); END $$;
CREATE FUNCTION calling() RETURNS void LANGUAGE plpgsql AS $$ BEGIN CALL pp(); END $$;`,
}

const project = (sql: string) => createProject({ migrations: { ...init, [name]: sql } })
const deploy = ({ root }: { readonly root: string }, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

const total = async (database: TestDatabase) => (await database.query("SELECT n FROM account"))[0]?.n
const rows = (database: TestDatabase) =>
  database.query(`SELECT finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE migration_name = '${name}'`)

test.each([
  ["a CALL", "CALL pp();", 1],
  ["a CALL between others", "UPDATE account SET n = 10;\nCALL pp();\nUPDATE account SET n = n * 2;\nCALL pp();", 23],
  ["a DO block with a CALL", "DO $$ BEGIN CALL pp(); CALL pp(); END $$;", 2],
  [
    "a CALL in what is applied statement by statement",
    "CREATE INDEX CONCURRENTLY account_n ON account (n);\nCALL pp();\nCALL pp();",
    2,
  ],
  ["a large file", `-- ${"-".repeat(70_000)}\nCALL pp();\nUPDATE account SET n = n * 2;`, 2],
])(
  "a procedure of an earlier migration commits, called by %s: applied once, outside of a transaction",
  async (_, sql, n) => {
    const database = await createDatabase()
    const done = await deploy(project(sql), database)
    expect(done, done.all).toMatchObject({ exitCode: 0 })
    expect(done.stderr).toMatch(new RegExp(`ok {2}${name} .* outside a transaction`))
    expect(done.stderr).toMatch(/note {2}.*migration\.sql:\d: .* commits by itself/)
    expect(await total(database)).toBe(n)
    expect(await rows(database)).toEqual([{ finished: true }])
  },
)

test("and those after it in the same message are applied once, too", async () => {
  const database = await createDatabase()
  const migrations = {
    ...init,
    "20260101120000_before": "UPDATE account SET n = n + 10;",
    [name]: "CALL pp();",
    "20260103000000_after": "UPDATE account SET n = n + 100;",
  }
  const done = await deploy(createProject({ migrations }), database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await total(database)).toBe(111)
  expect(await database.query("SELECT FROM _prisma_migrations WHERE finished_at IS NOT NULL")).toHaveLength(4)
})

test("where it may not commit outside of a transaction either, the failure says so, and what is applied", async () => {
  const database = await createDatabase()
  const failed = await deploy(project("UPDATE account SET n = 5;\nDO $$ BEGIN PERFORM calling(); END $$;"), database)
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toMatch(/error\[L1015\]: .* \(PostgreSQL 2D000\)/)
  expect(failed.stderr).toContain(`${name}/migration.sql:2:1\n`)
  expect(failed.stderr).toContain("may commit or roll back only where it is called outside of a transaction")
  expect(failed.stderr).toContain(`statement 2 of 2 of ${name} failed, the first is applied`)
  expect(await total(database)).toBe(5)
  expect(await rows(database)).toEqual([{ finished: false }])
})

test("a SELECT of a function that commits fails as before, with nothing applied", async () => {
  const database = await createDatabase()
  const failed = await deploy(project("UPDATE account SET n = 5;\nSELECT calling();"), database)
  expect(failed.stderr).toMatch(/error\[L1012\]: .* \(PostgreSQL 2D000\)/)
  expect(failed.stderr).toContain("nothing of this migration was applied or recorded")
  expect(await total(database)).toBe(0)
  expect(await rows(database)).toEqual([])
})

test("a procedure that has committed when its connection is lost is not called again by itself", async () => {
  const database = await createDatabase()
  const deploying = deploy(project("CALL slow();"), database)
  const ended = await until("the procedure's commit", async () => {
    const sessions = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity, account
      WHERE n = 1 AND datname = current_database() AND wait_event = 'PgSleep'`
    return (await database.query(sessions).catch(() => [])).length > 0
  })
  expect(ended).toBe(true)
  const failed = await deploying
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain("the connection was lost while CALL slow() ran, and whether it is done is not known")
  expect(await total(database)).toBe(1)
})

test("a block that has committed a part when a lock is not available is not run again by itself", async () => {
  const database = await createDatabase()
  await deploy(createProject({ migrations: init }), database)
  const other = new pg.Client({ connectionString: database.url })
  await other.connect()
  onTestFinished(() => other.end())
  await other.query("BEGIN; LOCK TABLE other")
  const block = "DO $$ BEGIN CALL pp(); LOCK TABLE other NOWAIT; END $$;"
  for (const sql of [block, `BEGIN;\nCOMMIT;\n${block}`]) {
    const failed = await deploy(project(sql), database)
    expect(failed, failed.all).toMatchObject({ exitCode: 1 })
    expect(failed.stderr).toContain("(PostgreSQL 55P03)")
    expect(failed.stderr).toContain("What it committed itself before that is applied.")
    expect(await total(database)).toBe(1)
    await database.query("UPDATE account SET n = 0")
    await database.query(`DELETE FROM _prisma_migrations WHERE migration_name = '${name}'`)
  }
})
