import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { lockKey } from "../../src/history/lock.js"
import { down, up } from "../../src/test-db/server.js"
import { type CliProcess, cliPath, lockstep } from "../support/cli.js"
import { copyCluster } from "../support/cluster.js"
import { createPrismaProject, prismaInPipeline } from "../support/prisma-cli.js"
import { createProject } from "../support/project.js"
import { init, migrations, openShop, orders, schema, widerSchema } from "../support/shop.js"
import { until } from "../support/until.js"

/** A session that holds the migration lock, as another deployer would. */
async function holder(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "another deployer" })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query(`SELECT pg_advisory_lock(${lockKey})`)
  return client
}

const saying = (child: CliProcess, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    let heard = ""
    child.stderr.on("data", (chunk) => {
      heard += String(chunk)
      if (heard.includes(text)) resolve()
    })
    void child.then(({ all }) => reject(new Error(`it ended without a word of "${text}":\n${all}`)))
  })

const waiting = /^waiting for the migration lock: held for .* by another deployer \(pid \d+, /m

/** Everything that a command here could change. */
const stateOf = `SELECT (SELECT json_agg(c.oid || a.attname ORDER BY c.oid, a.attname) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace) AS columns,
  (SELECT json_agg(h ORDER BY id) FROM _prisma_migrations h) AS history`

const held = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = ${lockKey}
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

const stuck = "20260103000000_stuck"
const failed = `INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', '${stuck}')`

test.each([
  { args: ["reset", "--yes"], before: `INSERT INTO "User" VALUES (1, 'Ada')` },
  { args: ["push"], schema: widerSchema },
  { args: ["resolve", "--rolled-back", stuck], before: failed },
  { args: ["resolve", "--applied", stuck], before: failed },
  { args: ["baseline"], before: "DELETE FROM _prisma_migrations" },
  { args: ["migrate", "--name", "age"], schema: widerSchema },
  { args: ["deploy"], before: `DROP TABLE "Order"; DELETE FROM _prisma_migrations WHERE migration_name = '${orders}'` },
])("$args waits for the migration lock, and until then changes nothing", async ({ args, before, ...files }) => {
  const { run, start, database, project } = await openShop(files)
  await run("deploy")
  if (before !== undefined) await database.query(before)
  if (args.includes(stuck)) project.migration(stuck, "SELECT 1;\n")
  const other = await holder(database.url)
  const state = await database.query(stateOf)
  const child = start(...args)
  await saying(child, "waiting for the migration lock")
  expect(await database.query(stateOf)).toEqual(state)
  await other.query(`SELECT pg_advisory_unlock(${lockKey})`)
  const done = await child
  expect(done, done.all).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(waiting) })
  expect(await database.query(stateOf)).not.toEqual(state)
  expect(await database.query(held)).toEqual([])
})

test("test-db up --deploy waits for it on the test database", async () => {
  const { root } = createProject({ migrations, schema })
  await copyCluster(root)
  const server = await up(root)
  try {
    const other = await holder(server.url)
    const child = lockstep(["test-db", "up", "--deploy"], { cwd: root })
    await saying(child, "waiting for the migration lock")
    expect((await other.query("SELECT to_regclass('_prisma_migrations') AS history")).rows).toEqual([{ history: null }])
    await other.query(`SELECT pg_advisory_unlock(${lockKey})`)
    expect(await child, (await child).all).toMatchObject({ exitCode: 0 })
    await other.end()
  } finally {
    await down(root)
  }
})

test("the seed does not run under it, and may deploy itself", async () => {
  const { start, database } = await openShop({
    files: {
      "prisma.config.mjs": `export default { migrations: { seed: "node seed.mjs" } }`,
      "seed.mjs": `import { execFileSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
mkdirSync("prisma/migrations/${stuck}")
writeFileSync("prisma/migrations/${stuck}/migration.sql", "CREATE TABLE seeded ();")
execFileSync(process.execPath, [${JSON.stringify(cliPath)}, "deploy", "--lock-wait", "0"], { stdio: "inherit" })
`,
    },
  })
  const done = await start("reset", "--yes")
  expect(done, done.all).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining("Reset: 2 migrations applied, seeded."),
  })
  expect(await database.query("SELECT to_regclass('seeded') IS NOT NULL AS done")).toEqual([{ done: true }])
})

test("reset waits for a deploy that runs, which keeps its tables until it has ended", async () => {
  const { run, start, database, project } = await openShop()
  await run("deploy")
  await database.query("CREATE SCHEMA control; CREATE TABLE control.gate (open bool)")
  project.migration(
    "20260104000000_long",
    `DO $$ BEGIN WHILE NOT EXISTS (SELECT FROM control.gate WHERE open) LOOP PERFORM pg_sleep(0.02); END LOOP; END $$;\nINSERT INTO "User" VALUES (1, 'Ada');\n`,
  )
  const deploying = start("deploy")
  const active = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lockstep deploy' AND query LIKE '%control.gate%' AND state = 'active'`
  await until("the long migration", async () => (await database.query(active)).length > 0)
  const resetting = start("reset", "--yes")
  await saying(resetting, "waiting for the migration lock")
  expect(await database.query(`SELECT to_regclass('"User"') IS NOT NULL AS kept`)).toEqual([{ kept: true }])
  await database.query("INSERT INTO control.gate VALUES (true)")
  expect(await deploying, (await deploying).all).toMatchObject({ exitCode: 0 })
  const reset = await resetting
  expect(reset, reset.all).toMatchObject({ exitCode: 0, stdout: "Reset: 3 migrations applied." })
  expect(reset.stderr).toMatch(/held for .* by lockstep deploy \(pid/)
  expect(await database.query(`SELECT name FROM "User"`)).toEqual([{ name: "Ada" }])
})

/** In seconds, where much else runs. */
const startOfPrisma = 100

test("Prisma's own reset and push wait for it, too, and give it back before they apply the migrations", async () => {
  const { database, run } = await openShop()
  await run("deploy")
  const options = { project: createPrismaProject({ schema, migrations }), url: database.url }
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  for (const args of [
    ["migrate", "reset", "--force"],
    ["db", "push"],
  ]) {
    const other = await holder(database.url)
    const child = prismaInPipeline(args, options)
    await until(
      "the wait",
      async () => {
        const polls = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_try_advisory_lock(${lockKey})%' AND pid <> pg_backend_pid()`
        return (await database.query(polls)).length > 0
      },
      startOfPrisma,
    )
    expect(await database.query("SELECT to_regclass('_prisma_migrations') IS NOT NULL AS kept")).toEqual([
      { kept: true },
    ])
    await other.query(`SELECT pg_advisory_unlock(${lockKey})`)
    const done = await child
    expect(done.stdout).toMatch(waiting)
  }
  expect(await database.query(`SELECT * FROM "User"`)).toEqual([])
  expect(await database.query("SELECT migration_name FROM _prisma_migrations ORDER BY 1")).toEqual([
    { migration_name: init },
    { migration_name: orders },
  ])
})
