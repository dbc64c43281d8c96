import { expect, test } from "vitest"
import { call } from "../schema-engine/json-rpc/calls.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

const name = "20260102000000_unique"
const init = {
  "20260101000000_init": "CREATE TABLE account (id int, n int DEFAULT 0);\nINSERT INTO account VALUES (1), (1), (2);",
}
const unique = {
  ...init,
  [name]: `UPDATE account SET n = n + 1;
CREATE UNIQUE INDEX CONCURRENTLY account_id ON account (id);
UPDATE account SET n = n + 1;`,
}
const schema = 'datasource db {\n  provider = "postgresql"\n}\n'

const deploy = ({ root }: TestProject, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

const index = (database: TestDatabase) =>
  database.query("SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass('account_id')")
const history = (database: TestDatabase) =>
  database.query(`SELECT applied_steps_count AS steps, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS rolled_back
    FROM _prisma_migrations WHERE migration_name = '${name}' ORDER BY started_at`)

async function failing(): Promise<{ database: TestDatabase; project: TestProject }> {
  const database = await createDatabase()
  const project = createProject({ migrations: unique, schema })
  const failed = await deploy(project, database)
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  return { database, project }
}

const fix = (database: TestDatabase) =>
  database.query("DELETE FROM account WHERE ctid = (SELECT min(ctid) FROM account WHERE id = 1)")

test("a concurrent unique index that meets equal rows: the place, the statement reached, the invalid index and the next command", async () => {
  const database = await createDatabase()
  const { stderr, exitCode } = await deploy(createProject({ migrations: unique }), database)
  expect(exitCode).toBe(1)
  expect(stderr).toContain(`FAIL  ${name}\n`)
  expect(stderr).toContain('error[L1015]: could not create unique index "account_id" (PostgreSQL 23505)')
  expect(stderr).toContain(`${name}/migration.sql:2:1`)
  expect(stderr).toContain("PostgreSQL's detail: Key (id)=(1) is duplicated.")
  expect(stderr).toContain("Rows exist that are equal in the columns that must be unique")
  expect(stderr).toContain(
    `statement 2 of 3 of ${name} failed, the first is applied, and the history holds the failed row.`,
  )
  expect(stderr).toContain('It left the invalid index "account_id", which --resume drops.')
  expect(stderr).toMatch(/fix the cause, then: .*lockstep deploy --resume/)
  expect(await index(database)).toEqual([{ valid: false }])
  expect(await history(database)).toEqual([{ steps: 1, finished: false, rolled_back: false }])
})

test("until it is resolved, every deploy reports what failed and the commands to choose from", async () => {
  const { database, project } = await failing()
  const { stderr, exitCode } = await deploy(project, database)
  expect(exitCode).toBe(1)
  expect(stderr).toContain("error[L1104]")
  expect(stderr).toContain('could not create unique index "account_id"')
  expect(stderr).toContain("the first statement of it is applied; the next one failed.")
  for (const command of ["deploy --resume", `resolve --rolled-back ${name}`, `resolve --applied ${name}`]) {
    expect(stderr).toContain(`lockstep ${command}`)
  }
})

test("--resume drops the invalid index, builds it and continues after it", async () => {
  const { database, project } = await failing()
  await fix(database)
  const done = await deploy(project, database, "--resume")
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await index(database)).toEqual([{ valid: true }])
  expect(await history(database)).toEqual([{ steps: 1, finished: true, rolled_back: false }])
  expect(await database.query("SELECT DISTINCT n FROM account")).toEqual([{ n: 2 }])
})

test("--resume where the cause is not fixed fails as before, and can be tried again", async () => {
  const { database, project } = await failing()
  const again = await deploy(project, database, "--resume")
  expect(again.exitCode).toBe(1)
  expect(again.stderr).toContain("error[L1015]")
  await fix(database)
  expect(await deploy(project, database, "--resume")).toMatchObject({ exitCode: 0 })
})

test("--resume takes the file as it was fixed from the failed statement on", async () => {
  const { database, project } = await failing()
  project.migration(name, unique[name]?.replace("UNIQUE ", "") ?? "")
  const done = await deploy(project, database, "--resume")
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await deploy(project, database, "--strict")).toMatchObject({ exitCode: 0 })
})

test("--resume refuses a file whose applied part was changed", async () => {
  const { database, project } = await failing()
  project.migration(name, unique[name]?.replace("n + 1", "n + 100") ?? "")
  const refused = await deploy(project, database, "--resume")
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain(`the applied part of ${name} is no longer what the file begins with`)
  expect(await database.query("SELECT DISTINCT n FROM account")).toEqual([{ n: 1 }])
})

test("--resume sets again what the statements before had set for their session", async () => {
  const database = await createDatabase()
  const sql = (table: string) => `SET search_path = shop;
CREATE INDEX CONCURRENTLY item_id ON ${table} (id);`
  const project = createProject({
    migrations: {
      "20260101000000_init": "CREATE SCHEMA shop;\nCREATE TABLE shop.item (id int);",
      [name]: sql("nothing"),
    },
  })
  expect(await deploy(project, database)).toMatchObject({ exitCode: 1 })
  project.migration(name, sql("item"))
  const done = await deploy(project, database, "--resume")
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT to_regclass('shop.item_id') IS NOT NULL AS there")).toEqual([{ there: true }])
})

// What Prisma's CLI asks of the engine; that it asks so, test/e2e/compatibility/cli.test.ts shows.
test("Prisma's resolve --rolled-back works as well: the next deploy runs the whole file, past the invalid index", async () => {
  const { database, project } = await failing()
  await fix(database)
  const resolved = await call({ method: "markMigrationRolledBack", params: { migrationName: name }, url: database.url })
  expect(resolved, resolved.message).toMatchObject({ result: {} })
  const done = await deploy(project, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await index(database)).toEqual([{ valid: true }])
  expect(await history(database)).toEqual([
    { steps: 1, finished: false, rolled_back: true },
    { steps: 1, finished: true, rolled_back: false },
  ])
})

test("Prisma's resolve --applied works as well", async () => {
  const { database, project } = await failing()
  await fix(database)
  await database.query(
    "DROP INDEX account_id; CREATE UNIQUE INDEX account_id ON account (id); UPDATE account SET n = n + 1",
  )
  const text = unique[name] ?? ""
  const migrationFile = { path: "migration.sql", content: { tag: "ok", value: text } }
  const lockfile = { path: "migration_lock.toml", content: 'provider = "postgresql"\n' }
  const migrationsList = {
    ...{ baseDir: project.migrationsDir, lockfile, shadowDbInitScript: "" },
    migrationDirectories: [{ path: name, migrationFile }],
  }
  const params = { migrationName: name, migrationsList }
  const resolved = await call({ method: "markMigrationApplied", params, url: database.url })
  expect(resolved, resolved.message).toMatchObject({ result: {} })
  const done = await deploy(project, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stdout).toContain("Nothing to do.")
})

test("an index that somebody else made is not taken for the one that failed", async () => {
  const database = await createDatabase()
  await deploy(createProject({ migrations: init }), database)
  await database.query("CREATE INDEX account_id ON account (n)")
  const project = createProject({
    migrations: { ...init, [name]: "CREATE INDEX CONCURRENTLY account_id ON account (id);" },
  })
  expect((await deploy(project, database)).stderr).toContain('relation "account_id" already exists (PostgreSQL 42P07)')
  expect((await deploy(project, database, "--resume")).stderr).toContain('relation "account_id" already exists')
})

test("IF NOT EXISTS does not pass over an invalid index silently", async () => {
  const { database, project } = await failing()
  await database.query(`UPDATE _prisma_migrations SET finished_at = now() WHERE migration_name = '${name}'`)
  project.migration("20260103000000_again", "CREATE INDEX CONCURRENTLY IF NOT EXISTS account_id ON account (id);")
  const failed = await deploy(project, database)
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain("already exists, but it is invalid, and IF NOT EXISTS passes over it")
})

test("a file with its own BEGIN that fails inside: what was open is rolled back, and --resume begins there", async () => {
  const database = await createDatabase()
  const sql = (table: string) => `UPDATE account SET n = n + 1;
BEGIN;
UPDATE account SET n = n * 10;
UPDATE ${table} SET n = n + 5;
COMMIT;
UPDATE account SET n = n + 1;`
  const project = createProject({ migrations: { ...init, [name]: sql("nothing") } })
  const failed = await deploy(project, database)
  expect(failed.stderr).toContain(
    `statement 4 of 6 of ${name} failed, the first is applied, those from 2 on were rolled back with it`,
  )
  project.migration(name, sql("account"))
  const done = await deploy(project, database, "--resume")
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT DISTINCT n FROM account")).toEqual([{ n: 16 }])
})

test("an enum value that is added and then used: each statement is committed with its count", async () => {
  const database = await createDatabase()
  const project = createProject({
    migrations: {
      "20260101000000_init": "CREATE TYPE mood AS ENUM ('good');\nCREATE TABLE person (mood mood);",
      [name]: "ALTER TYPE mood ADD VALUE 'bad';\nINSERT INTO person VALUES ('bad');",
    },
  })
  const done = await deploy(project, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toMatch(/ok {2}20260102000000_unique .* outside a transaction/)
})
