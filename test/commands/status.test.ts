import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { init, migrations, openShop, orders } from "../support/shop.js"

const record = (name: string, rest = "now(), NULL") =>
  `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at) VALUES (gen_random_uuid(), 'edited', '${name}', now(), ${rest})`

test("up to date is one line, and exit 0", async () => {
  const { run } = await openShop()
  await run("deploy")
  const { stdout, exitCode } = await run("status")
  expect({ stdout, exitCode }).toEqual({ stdout: "Up to date: 2 of 2 migrations applied.", exitCode: 0 })
})

test("it says which database, where its URL was found, and keeps the password", async () => {
  const { run, database, project } = await openShop()
  const { hostname, port } = new URL(database.url)
  const { stderr } = await run("status")
  expect(stderr).toContain(`postgresql://postgres@${hostname}:${port}/${database.name} (public), from DATABASE_URL`)
  const secret = new URL(database.url)
  secret.password = "hunter2"
  const { all } = await lockstep(["status", "--json"], { cwd: project.root, url: `${secret.href}?shcema=x` })
  expect(all).not.toContain("hunter2")
  expect(all).toContain("these parameters of the URL are not supported and have no effect: shcema")
})

test("a database without a history: everything is pending, in the order in which it will run", async () => {
  const { run } = await openShop()
  const { stdout, exitCode } = await run("status")
  expect(stdout.split("\n")).toEqual([
    "   0 applied: no history yet",
    "   2 pending",
    `       ${init}`,
    `       ${orders}`,
    "Not up to date. Apply with: lockstep deploy",
  ])
  expect(exitCode).toBe(1)
})

test("every state at once, for people and for programs", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  project.migration(init, `${migrations[init]}-- edited\n`)
  project.migration("20260101120000_early", "SELECT 1;\n")
  project.migration("20260103000000_again", "SELECT 1;\n")
  project.migration("20260104000000_stuck", "SELECT 1;\n")
  await database.query(record("20260102120000_gone"))
  await database.query(record("20260103000000_again", "NULL, now()"))
  await database.query(record("20260104000000_stuck", "NULL, NULL"))
  const { stdout, exitCode } = await run("status")
  expect(exitCode).toBe(1)
  expect(stdout.replaceAll(/[0-9a-f]{4}…/g, "xxxx…").split("\n")).toEqual([
    `   2 applied, last ${orders}, just now`,
    "   2 pending",
    "       20260101120000_early   older than an applied one",
    "       20260103000000_again   rolled back before",
    "   1 failed",
    "       20260104000000_stuck   started just now, 0 statements done",
    "   1 edited after it was applied",
    `       ${init}   recorded xxxx…, file xxxx…`,
    "   1 recorded, but missing from the folder",
    "       20260102120000_gone   applied just now",
    expect.stringContaining("A failed migration stops every deploy"),
  ])
  const json = await run("status", "--json")
  expect(objectsIn(json.stdout)).toEqual([
    expect.objectContaining({
      upToDate: false,
      ahead: false,
      migrations: [
        expect.objectContaining({ name: init, state: "edited" }),
        expect.objectContaining({ state: "pending", outOfOrder: true, rolledBackAt: null }),
        expect.objectContaining({ name: orders, state: "applied", steps: 1 }),
        expect.objectContaining({ state: "missing" }),
        expect.objectContaining({ state: "pending", rolledBackAt: expect.any(String) }),
        expect.objectContaining({ state: "failed", logs: null }),
      ],
    }),
  ])
})

test("an older release before a newer database: ahead, and exit 1", async () => {
  const { run, project } = await openShop()
  await run("deploy")
  project.remove(`prisma/migrations/${orders}`)
  const { stdout, exitCode } = await run("status")
  expect(stdout).toContain("The database is ahead of this folder.")
  expect(exitCode).toBe(1)
})

test("without the database itself it says so, and who would create it", async () => {
  const { run, database } = await openShop()
  await database.drop()
  const { stdout, stderr, exitCode } = await run("status", "--json")
  expect(objectsIn(stdout)).toMatchObject([{ code: "L1215", next: "lockstep deploy creates it" }])
  expect(stderr).toContain("the database does not exist")
  expect(exitCode).toBe(1)
})

test("a new project without migrations has nothing to do, and the folder is named", async () => {
  const { url } = await createDatabase()
  const { root, migrationsDir } = createProject()
  const { stdout, stderr, exitCode } = await lockstep(["status"], { cwd: root, url })
  expect({ stdout, exitCode }).toEqual({ stdout: "Nothing to do: the folder holds no migrations.", exitCode: 0 })
  expect(stderr).toContain(`there are no migrations in ${migrationsDir}`)
})

test.each(["status", "plan", "deploy", "wait --applied"])(
  "%s fails where the schema has models and the folder no migrations",
  async (command) => {
    const { run, project } = await openShop({ migrations: {} })
    const { stderr, exitCode } = await run(...command.split(" "))
    expect(exitCode).toBe(1)
    expect(stderr).toContain(`error[L1106]: there are no migrations in ${project.migrationsDir}`)
    expect(await run(...command.split(" "), "--allow-empty")).toMatchObject({ exitCode: 0 })
  },
)

test("it changes nothing: a role that may only read is enough", async () => {
  const { run, database, project } = await openShop()
  await run("deploy")
  const role = `reader_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT ON _prisma_migrations TO ${role}`)
  try {
    const url = database.url.replace(/postgres(:[^@]+)?@/, `${role}@`)
    const { stdout } = await lockstep(["status"], {
      cwd: project.root,
      url: `${url}?options=-c%20default_transaction_read_only%3Don`,
    })
    expect(stdout).toBe("Up to date: 2 of 2 migrations applied.")
  } finally {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  }
})

test("a pending migration that destroys data says which; one that drops what another pending one made does not", async () => {
  const shop = await openShop()
  await shop.run("deploy")
  shop.project.migration("20260201000000_temporary", `CREATE TABLE "Draft" (id int);\nDROP TABLE "Draft";\n`)
  shop.project.migration("20260202000000_narrow", `ALTER TABLE "User" DROP COLUMN "name";\n`)
  const { exitCode, stdout } = await shop.run("status")
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/^ +20260201000000_temporary$/m)
  expect(stdout).toMatch(/^ +20260202000000_narrow {3}destroys data: column "User"\."name"$/m)
  const [answer] = objectsIn((await shop.run("status", "--json")).stdout)
  expect(answer).toMatchObject({
    migrations: [{}, {}, { destroys: [] }, { name: "20260202000000_narrow", destroys: ['column "User"."name"'] }],
  })
})

test.each([["status"], ["plan"]])(
  "%s does not wait for ever for a lock on the history: it says who holds it",
  async (verb) => {
    const shop = await openShop()
    await shop.run("deploy")
    const holder = new pg.Client({ connectionString: shop.database.url, application_name: "reporting" })
    await holder.connect()
    onTestFinished(() => holder.end())
    await holder.query(`BEGIN; LOCK TABLE "_prisma_migrations"`)
    const { exitCode, stderr } = await shop.run(verb)
    expect(exitCode).toBe(1)
    expect(stderr).toMatch(/error\[L1014\]: timed out after 2 s waiting for a lock on "public"\."_prisma_migrations"/)
    expect(stderr).toMatch(/held by pid \d+ \(reporting, .*idle in transaction/)
    await holder.query("ROLLBACK")
    expect((await shop.run(verb)).exitCode).toBe(0)
  },
)

test("a database that is not empty and has no history is advised to adopt one", async () => {
  const { run, database } = await openShop()
  await database.query(migrations[init])
  const { stdout, exitCode } = await run("status")
  expect(stdout.split("\n").at(-1)).toMatch(
    /no history and is not empty \(it holds .*User.*\): lockstep baseline finds out/,
  )
  expect(exitCode).toBe(1)
  const [answer] = objectsIn((await run("status", "--json")).stdout)
  expect(answer).toMatchObject({ history: "none", existingObjects: expect.stringContaining("User") })
})
