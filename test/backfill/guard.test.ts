import { expect, onTestFinished, test } from "vitest"
import { lockstep } from "../support/in-process.js"
import { openShop } from "../support/shop.js"

const [init, contract] = ["20260101000000_init", "20260301000000_contract"] as const
const first = `CREATE TABLE item (id int PRIMARY KEY, name text, title text);\n`
const last = `-- The old column goes.\n-- lockstep-after-backfill: titles\nALTER TABLE item DROP COLUMN name;\n`
const titles = `-- lockstep-after: ${init}\nUPDATE item SET title = name WHERE title IS NULL;\n`
const files = { "prisma/backfills/titles.sql": titles }

test("a deploy stops before a migration whose backfill is not finished, and goes on when it is", async () => {
  const { project, database, run } = await openShop({ migrations: { [init]: first }, files, schema: "" })
  await run("deploy")
  await database.query(
    "DROP SCHEMA _lockstep CASCADE; INSERT INTO item SELECT g, 'x' || g FROM generate_series(1, 50) g",
  )
  project.migration("20260201000000_index", "CREATE INDEX item_title ON item (title);\n")
  project.migration(contract, last)
  const refused = await run("deploy")
  expect(refused, refused.all).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain(`error[L2110]: ${contract} comes after the backfill titles, which is not finished`)
  expect(refused.stderr).toContain(`prisma/migrations/${contract}/migration.sql:2:1`)
  expect(refused.stderr).toContain(`state:  2 migrations are applied; ${contract} was not started.`)
  expect(refused.stderr).toContain("next:   lockstep backfill titles, then run the same deploy again")
  expect(await database.query("SELECT count(name)::int FROM item")).toEqual([{ count: 50 }])
  const status = await run("status")
  expect(status.stderr).toContain("note  the backfill titles is not started: lockstep backfill --list")
  expect(JSON.parse((await run("status", "--json")).stdout)).toMatchObject({
    backfills: [{ name: "titles", state: "not started" }],
  })
  expect(await run("backfill")).toMatchObject({ exitCode: 0 })
  expect(await run("deploy")).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT count(title)::int FROM item")).toEqual([{ count: 50 }])
  const done = await run("status")
  expect(done.all).not.toContain("backfill")
  expect(done).toMatchObject({ exitCode: 0, stdout: "Up to date: 3 of 3 migrations applied." })
})

test("a role that may not see the progress sees the history all the same", async () => {
  const { database, project, run } = await openShop({ migrations: { [init]: first }, files, schema: "" })
  await run("deploy")
  const role = `r_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'; GRANT SELECT ON _prisma_migrations TO ${role}`)
  onTestFinished(() => database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`).then(() => undefined))
  const address = Object.assign(new URL(database.url), { username: role, password: "secret" })
  const status = await lockstep(["status", "--json"], { cwd: project.root, url: address.href })
  expect(status, status.all).toMatchObject({ exitCode: 0 })
  expect(JSON.parse(status.stdout)).not.toHaveProperty("backfills")
})

test("a new database has nothing to fill: its backfills are finished, and later rows are left alone", async () => {
  const { database, run } = await openShop({ migrations: { [init]: first, [contract]: last }, files, schema: "" })
  const deployed = await run("deploy")
  expect(deployed, deployed.all).toMatchObject({ exitCode: 0 })
  await database.query("INSERT INTO item VALUES (1, NULL)")
  expect(await run("backfill")).toMatchObject({ exitCode: 0, stdout: "Nothing to do: 1 backfill finished before." })
})

test("a migration that names a backfill which does not exist is refused", async () => {
  const { run } = await openShop({ migrations: { [init]: first, [contract]: last }, schema: "" })
  const refused = await run("deploy")
  expect(refused).toMatchObject({ exitCode: 1 })
  expect(refused.stderr).toContain("comes after the backfill titles, and the folder backfills has none of that name")
  expect(refused.stderr).toContain("correct lockstep-after-backfill in the file, or restore the backfill")
})

const model =
  'datasource db {\n  provider = "postgresql"\n}\n\nmodel item {\n  id    Int     @id\n  name  String?\n  title String?\n}\n'

test("the progress is no drift, and no content of a schema; a reset forgets it", async () => {
  const { database, run } = await openShop({ migrations: { [init]: first }, files, schema: model })
  await run("deploy")
  await database.query("DELETE FROM _lockstep.backfills; INSERT INTO item SELECT g, 'x' FROM generate_series(1, 5) g")
  expect(await run("backfill")).toMatchObject({ exitCode: 0 })
  const drift = await run("check", "schema/drift")
  expect(drift, drift.all).toMatchObject({ exitCode: 0 })
  expect(drift.stdout).toContain("ok")
  expect(await run("deploy", "--verify", "schema")).toMatchObject({ exitCode: 0 })
  const diff = await run("diff", "schema", "database")
  expect(diff, diff.all).toMatchObject({ exitCode: 0 })
  const reset = await run("reset", "--yes", "--skip-seed")
  expect(reset, reset.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT rows::int, batches::int FROM _lockstep.backfills")).toEqual([
    { rows: 0, batches: 0 },
  ])
  // Where something else than Lockstep has emptied the schema, the first deploy notices.
  await database.query("UPDATE _lockstep.backfills SET rows = 7; DROP SCHEMA public CASCADE; CREATE SCHEMA public")
  expect(await run("deploy")).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT rows::int FROM _lockstep.backfills")).toEqual([{ rows: 0 }])
})

test("a database whose schema is empty but for the progress is one to deploy to, and one to baseline", async () => {
  const { database, run } = await openShop({ migrations: { [init]: first }, files, schema: model })
  await run("deploy")
  await database.query("DROP TABLE _prisma_migrations")
  const baseline = await run("baseline")
  expect(baseline, baseline.all).toMatchObject({ exitCode: 0 })
  expect(await run("status")).toMatchObject({ exitCode: 0 })
})
