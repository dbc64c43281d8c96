import { expect, test } from "vitest"
import { lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

const init = {
  "20260101000000_init": "CREATE TABLE account (id int PRIMARY KEY, n int);\nINSERT INTO account VALUES (1, 0);",
}
const three = {
  ...init,
  "20260102000000_name": "ALTER TABLE account ADD COLUMN name text;",
  "20260103000000_email": "ALTER TABLE account ADD COLUMN email text;",
}

const deploy = ({ root }: TestProject, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

test("the strategy's own words: a failing migration ships, the logs are read, the SQL is fixed, redeployed: done", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations: init })
  expect(await deploy(project, database)).toMatchObject({ exitCode: 0 })

  const name = "20260403090000_backfill_total"
  const sql = (column: string) => `-- prices with tax
ALTER TABLE account ADD COLUMN total int;

UPDATE account SET "total" = "${column}" * 2;`
  project.migration(name, sql("nn"))
  const failed = await deploy(project, database)
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain(`FAIL  ${name}

error[L1012]: column "nn" does not exist (PostgreSQL 42703)
  prisma/migrations/${name}/migration.sql:4:30
    2 |  ALTER TABLE account ADD COLUMN total int;
    3 |
    4 |  UPDATE account SET "total" = "nn" * 2;
      |                               ^
  PostgreSQL hints: Perhaps you meant to reference the column "account.n".`)
  expect(failed.stderr.split("\n").slice(-2)).toEqual([
    "  state:  nothing of this migration was applied or recorded; the earlier migration is applied.",
    "  next:   fix the file, then run the same deploy again.",
  ])

  project.migration(name, sql("n"))
  const done = await deploy(project, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT count(*)::int AS rows FROM _prisma_migrations")).toEqual([{ rows: 2 }])
})

test("what prisma.config names as external may be there before the first deploy; anything else may not", async () => {
  const database = await createDatabase()
  await database.query("CREATE TYPE theirs AS ENUM ('a'); CREATE TABLE mine (n serial)")
  const config = (tables: string, enums: string) =>
    `export default { tables: { external: [${tables}] }, enums: { external: [${enums}] } }\n`
  const deployWith = (text: string) =>
    deploy(createProject({ migrations: init, files: { "prisma.config.mjs": text } }), database)
  const refused = await deployWith(config('"public.mine"', ""))
  expect(refused).toMatchObject({ exitCode: 1, all: expect.stringContaining("holds theirs.") })
  expect(await deployWith(config('"public.mine"', '"theirs"'))).toMatchObject({ exitCode: 0 })
})

test("a database that is not empty and has no history is refused with an empty folder, too", async () => {
  const database = await createDatabase()
  await database.query("CREATE TABLE theirs (n int)")
  const refused = await deploy(createProject(), database)
  expect(refused).toMatchObject({ exitCode: 1, all: expect.stringContaining("error[L1103]") })
  expect(await deploy(createProject(), database, "--allow-empty")).toMatchObject({ exitCode: 0 })
})

test("the first line says version, history, host and database; the last is the verdict; no line holds the password", async () => {
  const database = await createDatabase()
  const url = new URL(database.url)
  const done = await lockstep(["deploy"], { cwd: createProject({ migrations: init }).root, url: url.href })
  expect(done.stderr.split("\n")[0]).toMatch(
    new RegExp(
      `^lockstep \\d+\\.\\d+\\.\\d+, history [0-9a-f]{12} of 1 migration -> ${url.hostname}:${url.port}/${database.name}$`,
    ),
  )
  expect(done.stdout).toMatch(/^1 applied in .* Verified: 1 of 1 recorded, checksums match\.$/)
  expect(url.password).not.toBe("")
  expect(done.all).not.toContain(url.password)
})

test("an old image, its folder two migrations shorter, before the newer database: exit 0, one line, nothing touched", async () => {
  const database = await createDatabase()
  await deploy(createProject({ migrations: three }), database)
  const before = await database.query("SELECT * FROM _prisma_migrations ORDER BY started_at")
  const old = createProject({ migrations: init })
  const done = await deploy(old, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr.match(/ahead/g)).toHaveLength(1)
  expect(done.stderr).toContain("the database is ahead of this folder by 2 migrations (last: 20260103000000_email)")
  expect(await database.query("SELECT * FROM _prisma_migrations ORDER BY started_at")).toEqual(before)
  const strict = await deploy(old, database, "--strict")
  expect(strict).toMatchObject({ exitCode: 1 })
  expect(strict.stderr).toContain("error[L1105]")
})

test("what stock Prisma tolerates is tolerated and noted; --strict refuses it before anything is touched", async () => {
  const database = await createDatabase()
  const { "20260102000000_name": _early, ...others } = three
  await deploy(createProject({ migrations: { ...others, "20260101120000_lost": "SELECT 1;" } }), database)
  const project = createProject({ migrations: three })
  project.migration("20260101000000_init", "CREATE TABLE account (id int);")

  const strict = await deploy(project, database, "--strict")
  expect(strict).toMatchObject({ exitCode: 1 })
  expect(strict.stderr).toContain("error[L1105]: the history and the folder differ in 3 ways")
  expect(await database.query("SELECT FROM _prisma_migrations")).toHaveLength(3)

  const done = await deploy(project, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toContain("20260101000000_init was edited after it was applied")
  expect(done.stderr).toContain("20260102000000_name is pending, though newer migrations are applied")
  expect(done.stderr).toContain("20260101120000_lost is recorded in the database, but not in the folder")
  expect(done.stdout).toContain("3 of 3 recorded, 1 edited since.")
})

test("an empty folder of a new project is named, and nothing is to do", async () => {
  const database = await createDatabase()
  const project = createProject()
  const done = await deploy(project, database)
  expect(done).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toContain(`there are no migrations in ${project.migrationsDir}`)
  expect(done.stdout).toBe("Nothing to do: the folder holds no migrations.")
  expect(await database.query("SELECT to_regclass('_prisma_migrations') AS history")).toEqual([{ history: null }])
})

test("an empty folder is refused where the database has a history, unless --allow-empty is given", async () => {
  const database = await createDatabase()
  await deploy(createProject({ migrations: three }), database)
  const project = createProject()
  const refused = await deploy(project, database)
  expect(refused.exitCode).toBe(1)
  expect(refused.stderr).toContain(`error[L1106]: there are no migrations in ${project.migrationsDir}`)
  expect(refused.stderr).toContain("The database's history has 3 migrations.")
  const meant = await deploy(project, database, "--allow-empty")
  expect(meant).toMatchObject({ exitCode: 0 })
  expect(meant.stderr).toContain("20260103000000_email is recorded in the database, but not in the folder")
})

test("a migration that takes its own row away is refused, and nothing of it is applied", async () => {
  const database = await createDatabase()
  const thief = `CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER forget BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION forget();`
  const project = createProject({ migrations: { ...init, "20260102000000_thief": thief } })
  const failed = await deploy(project, database)
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain("error[L1018]: the history table does not keep the row of 20260102000000_thief")
  expect(failed.stderr).toContain("the migration itself makes what keeps the row out")
  expect(await database.query("SELECT FROM pg_proc WHERE proname = 'forget'")).toEqual([])
})

test("session settings that a file leaves behind reach neither the history row nor the next migration", async () => {
  const database = await createDatabase()
  const project = createProject({
    migrations: {
      "20260101000000_dump": "SELECT pg_catalog.set_config('search_path', '', false);\nSET role = pg_monitor;",
      "20260102000000_next": "CREATE TABLE account (id int);",
    },
  })
  const done = await deploy(project, database)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
})

test("each of several small migrations in one message has its row, its duration and its line", async () => {
  const database = await createDatabase()
  const done = await deploy(createProject({ migrations: three }), database)
  expect(done.stderr.match(/^ {2}ok {2}\d+_\w+ +\d+ ms$/gm)).toHaveLength(3)
  const rows = await database.query(
    "SELECT migration_name, applied_steps_count, logs, finished_at >= started_at AS ordered FROM _prisma_migrations ORDER BY started_at, finished_at",
  )
  expect(rows).toEqual(
    Object.keys(three).map((migration_name) => ({ migration_name, applied_steps_count: 1, logs: null, ordered: true })),
  )
})

test("a failure in the middle of several small migrations is attributed to its own", async () => {
  const database = await createDatabase()
  const migrations = {
    ...three,
    "20260102120000_wrong": "INSERT INTO account VALUES (2, 0);\nINSERT INTO account VALUES (1, 0);",
  }
  const failed = await deploy(createProject({ migrations }), database)
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain("20260102120000_wrong/migration.sql:2:1")
  expect(failed.stderr).toContain("the 2 earlier migrations are applied.")
  expect(await database.query("SELECT id FROM account")).toEqual([{ id: 1 }])
  expect(await database.query("SELECT FROM _prisma_migrations")).toHaveLength(2)
})

test("a deferred constraint that fails at COMMIT leaves nothing", async () => {
  const database = await createDatabase()
  const sql = `CREATE TABLE child (id int REFERENCES account DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO child VALUES (42);`
  const failed = await deploy(createProject({ migrations: { ...init, "20260102000000_child": sql } }), database)
  expect(failed.exitCode).toBe(1)
  expect(failed.stderr).toContain("It came at COMMIT: from a deferred constraint")
  expect(await database.query("SELECT to_regclass('child') AS child")).toEqual([{ child: null }])
})

test("--json: a line of JSON an event, in order, and the error as the last", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations: { ...init, "20260102000000_wrong": "SELECT nothing;" } })
  const failed = await deploy(project, database, "--json")
  const events = failed.stdout.split("\n").map((line): Record<string, unknown> => JSON.parse(line))
  expect(events.map(({ event, code }) => event ?? code)).toEqual([
    "began",
    "planned",
    "applied",
    "started",
    "failed",
    "L1012",
  ])
  expect(new Set(events.slice(0, -1).map(({ schema }) => schema))).toEqual(new Set(["lockstep.deploy/1"]))
  expect(events.at(-1)).toMatchObject({
    line: 1,
    column: 8,
    sqlstate: "42703",
    next: "fix the file, then run the same deploy again.",
  })
})

test("--json reports once a second what the server does in a long statement", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations: { ...init, "20260102000000_long": "SELECT pg_sleep(2.5);" } })
  const done = await deploy(project, database, "--json")
  const events = done.stdout.split("\n").map((line): Record<string, unknown> => JSON.parse(line))
  const progress = events.filter(({ event }) => event === "progress")
  expect(progress.length).toBeGreaterThan(0)
  expect(progress[0]).toMatchObject({ name: "20260102000000_long", doing: "running" })
  const sessions =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'lockstep deploy%'"
  expect(await database.query(sessions)).toHaveLength(0)
})

test("flag, then LOCKSTEP_ variable, then package.json's key: every option of a deploy", async () => {
  const database = await createDatabase()
  const project = createProject({
    schema: "model Account {\n  id Int @id\n}\n",
    files: { "package.json": '{ "lockstep": { "allowEmpty": false, "lockWait": "7s", "retries": 3 } }' },
  })
  const run = (args: string[], env: Record<string, string> = {}) =>
    lockstep(["deploy", ...args], { cwd: project.root, url: database.url, env })
  expect((await run([])).stderr).toContain("error[L1106]")
  expect(await run([], { LOCKSTEP_ALLOW_EMPTY: "true" })).toMatchObject({ exitCode: 0 })
  expect(await run(["--allow-empty"], { LOCKSTEP_ALLOW_EMPTY: "false" })).toMatchObject({ exitCode: 0 })
  const wrong = await run(["--lock-wait", "soon", "--verify", "everything"], {
    LOCKSTEP_RETRIES: "-1",
    LOCKSTEP_STRICT: "perhaps",
  })
  expect(wrong.exitCode).toBe(2)
  for (const name of ["--lock-wait", "--verify", "LOCKSTEP_RETRIES", "LOCKSTEP_STRICT"])
    expect(wrong.stderr).toContain(name)
})

test("--verify schema names what somebody changed by hand, object by object", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations: three })
  const verified = await deploy(project, database, "--verify", "schema")
  expect(verified, verified.all).toMatchObject({ exitCode: 0 })
  expect(verified.stderr).toContain("Schema verified")
  await database.query("ALTER TABLE account DROP COLUMN email; CREATE INDEX by_hand ON account (name)")
  const drifted = await deploy(project, database, "--verify", "schema")
  expect(drifted.exitCode).toBe(1)
  expect(drifted.stderr).toContain("error[L1031]")
  expect(drifted.stderr).toContain("missing, or different:  column public.account.email text")
  expect(drifted.stderr).toMatch(/not from the history: {3}index public\.by_hand/)
})

test("where nothing is pending, no WebAssembly is loaded", async () => {
  const database = await createDatabase()
  const refusing = `for (const name of ["compile", "instantiate", "Module"]) {
  const original = WebAssembly[name]
  WebAssembly[name] = function (bytes, ...more) {
    // Node's own HTTP parser is a smaller one.
    if (bytes.byteLength > 100_000) throw new Error("WebAssembly is loaded")
    return new.target ? new original(bytes, ...more) : original(bytes, ...more)
  }
}`
  const project = createProject({ migrations: three, files: { "refusing.cjs": refusing } })
  await deploy(project, database)
  const env = { NODE_OPTIONS: `--require ${project.root}/refusing.cjs` }
  for (const command of ["deploy", "status"]) {
    const done = await lockstepProcess([command], { cwd: project.root, url: database.url, env })
    expect(done, done.all).toMatchObject({ exitCode: 0 })
  }
  project.migration("20260104000000_next", "SELECT 1;")
  expect((await lockstepProcess(["deploy"], { cwd: project.root, url: database.url, env })).all).toContain(
    "WebAssembly is loaded",
  )
})
