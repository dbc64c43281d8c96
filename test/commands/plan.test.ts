import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { lockstep as run } from "../support/in-process.js"
import { createDatabase, serverUrl, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

/** The scratch databases are made on the run's server. */
const lockstep = (args: readonly string[], options: Parameters<typeof run>[1]) =>
  run(args, { ...options, env: { LOCKSTEP_SHADOW_URL: serverUrl() } })

const migrations = {
  "20260101000000_init": `CREATE TABLE "Order" ("id" int, "legacyTotal" int);`,
  "20260102000000_drop_legacy_total": `ALTER TABLE "Order" DROP COLUMN "legacyTotal";`,
}

async function deployedInit(): Promise<{ project: TestProject; database: TestDatabase }> {
  const database = await createDatabase()
  const project = createProject({ migrations: { "20260101000000_init": migrations["20260101000000_init"] } })
  expect((await lockstep(["deploy"], { cwd: project.root, url: database.url })).exitCode).toBe(0)
  project.migration("20260102000000_drop_legacy_total", migrations["20260102000000_drop_legacy_total"])
  return { project, database }
}

test("the plan is the answer on stdout; destroying data is shown and no failure", async () => {
  const { project, database } = await deployedInit()
  const { exitCode, stdout } = await lockstep(["plan"], { cwd: project.root, url: database.url })
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^observed on PostgreSQL \S+ \(the shadow database's server\), sizes from \S+$/),
    "",
    "20260102000000_drop_legacy_total   transactional",
    `   1  ALTER TABLE "Order" DROP COLUMN "legacyTotal"`,
    `        "Order"   0 rows   0 B   ACCESS EXCLUSIVE   nobody reads or writes it until this migration ends   instant   destroys data: column "Order"."legacyTotal"`,
    expect.stringContaining("safer: "),
    `1 pending migration: 1 destroys data. Worst: 20260102000000_drop_legacy_total, line 1: destroys column "Order"."legacyTotal". Apply with: lockstep deploy`,
  ])
  expect(exitCode).toBe(0)
})

test("--json is one object, and --fail-on makes a danger a failure", async () => {
  const { project, database } = await deployedInit()
  const { exitCode, stdout } = await lockstep(["plan", "--json", "--fail-on", "rewrites, destroys"], {
    cwd: project.root,
    url: database.url,
  })
  expect(exitCode).toBe(1)
  expect(objectsIn(stdout)).toMatchObject([
    {
      schema: "lockstep.plan/1",
      canBeApplied: true,
      refused: ["destroys"],
      failed: [],
      adopts: [],
      migrations: [
        {
          name: "20260102000000_drop_legacy_total",
          class: "transactional",
          why: null,
          statements: [
            {
              line: 1,
              work: [
                {
                  table: `"Order"`,
                  state: "existing",
                  lock: "ACCESS EXCLUSIVE",
                  rows: 0,
                  rules: ["drop-column"],
                  destroys: [`column "Order"."legacyTotal"`],
                },
              ],
            },
          ],
        },
      ],
    },
  ])
})

test("--json documents every kind of target and migration", async () => {
  const { project, database } = await deployedInit()
  project.migration(
    "20260103000000_all",
    `DO $$ BEGIN END $$; CREATE INDEX CONCURRENTLY i ON "Order" ("id"); VACUUM; CREATE TABLE a (id int); DROP TABLE nope;
    CREATE VIEW v AS SELECT 1; ALTER TABLE "Order" ALTER COLUMN "id" TYPE bigint; COMMENT ON TABLE "Order" IS 'x'`,
  )
  project.migration("20260104000000_own", "BEGIN; SELECT 1; COMMIT")
  project.migration("20260105000000_strange", "FROBNICATE")
  const { stdout } = await lockstep(["plan", "--json"], { cwd: project.root, url: database.url })
  const [plan] = objectsIn(stdout)
  expect(plan).toMatchObject({
    canBeApplied: false,
    migrations: [
      { class: "transactional" },
      { class: "non-transactional", why: expect.any(String) },
      { class: "self-managed", why: "BEGIN in the file" },
      { unparsed: { line: 1, column: 1 } },
    ],
  })
})

test("what is certain to fail on the present rows fails with --fail-on fails", async () => {
  const { project, database } = await deployedInit()
  await database.query(`INSERT INTO "Order" VALUES (1, 1)`)
  project.migration("20260103000000_required", `ALTER TABLE "Order" ADD COLUMN "userId" int NOT NULL`)
  for (const basis of [[], ["--estimate"]]) {
    const args = ["plan", "--fail-on", "fails", ...basis]
    const { exitCode, stdout } = await lockstep(args, { cwd: project.root, url: database.url })
    expect([exitCode, stdout]).toEqual([1, expect.stringContaining(`certain to fail: "Order"."userId" is required`)])
  }
})

test("without a server for scratch databases one is started for the time of the command", async () => {
  const { project, database } = await deployedInit()
  const { exitCode, stdout } = await run(["plan", "--json"], { cwd: project.root, url: database.url })
  expect([exitCode, objectsIn(stdout)]).toMatchObject([0, [{ basis: "observed", why: null, drift: { missing: [] } }]])
})

test("an estimate says so", async () => {
  const { project, database } = await deployedInit()
  const { stdout } = await lockstep(["plan", "--estimate", "--json"], { cwd: project.root, url: database.url })
  expect(objectsIn(stdout)).toMatchObject([{ basis: "estimated", why: "as --estimate asks for", postgres: null }])
})

test("with nothing pending it is one line", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations })
  await lockstep(["deploy"], { cwd: project.root, url: database.url })
  const { exitCode, stdout } = await lockstep(["plan"], { cwd: project.root, url: database.url })
  expect([exitCode, stdout]).toEqual([0, "Nothing to apply: 2 of 2 migrations applied."])
})

test("what a deploy could not apply is exit 1: a failed migration, SQL that cannot be parsed, psql's commands", async () => {
  const { project, database } = await deployedInit()
  const plan = () => lockstep(["plan"], { cwd: project.root, url: database.url })
  project.migration("20260103000000_strange", "ALTER TABLE FROBNICATE")
  expect(await plan()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("cannot be parsed: syntax error") })
  project.migration("20260103000000_strange", "\\connect shop")
  expect(await plan()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1013]") })
  project.remove("prisma/migrations/20260103000000_strange")
  await database.query(`UPDATE "_prisma_migrations" SET finished_at = NULL`)
  expect(await plan()).toMatchObject({
    exitCode: 1,
    stdout: expect.stringContaining("20260101000000_init stops every deploy"),
  })
})

test("a database that is not empty and has no history is no place for a deploy", async () => {
  const project = createProject({ migrations })
  const database = await createDatabase()
  await database.query("CREATE TABLE existing (id int)")
  const { exitCode, stdout } = await lockstep(["plan"], { cwd: project.root, url: database.url })
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/the database has no history and holds existing: lockstep baseline$/)
})

test("an unknown --fail-on is wrong usage", async () => {
  const project = createProject({ migrations })
  const { exitCode, stderr } = await lockstep(["plan", "--fail-on", "rain"], {
    cwd: project.root,
    url: "postgresql://x@127.0.0.1:1/x",
  })
  expect(exitCode).toBe(2)
  expect(stderr).toContain("--fail-on may only hold fails, destroys, rewrites, scans, writes, unknown")
})
