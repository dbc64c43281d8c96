import { expect, test } from "vitest"
import { down, up } from "../../src/test-db/server.js"
import { objectsIn } from "../e2e/json.js"
import { copyCluster } from "../support/cluster.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"
import { migrations, openShop, schema } from "../support/shop.js"

const seed = `import { writeFileSync } from "node:fs"
writeFileSync("seeded", process.env.DATABASE_URL)
console.log("sowing")
`
const config = {
  "prisma.config.mjs": 'export default { migrations: { seed: "node seed.mjs" } }',
  "seed.mjs": seed,
}

test("everything is dropped, applied again and seeded, once that is consented to", async () => {
  const { run, start, database } = await openShop({ files: config })
  await run("deploy")
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada'); CREATE VIEW stray AS SELECT 1`)
  const { stdout, stderr, exitCode } = await start("reset", "--yes")
  expect({ stdout, exitCode }).toEqual({ stdout: "Reset: 2 migrations applied, seeded.", exitCode: 0 })
  expect(stderr).toContain("sowing")
  expect(await database.query(`SELECT * FROM "User"`)).toEqual([])
  expect(await database.query("SELECT to_regclass('stray') AS stray")).toEqual([{ stray: null }])
  const json = await run("reset", "--yes", "--skip-seed", "--json")
  expect(objectsIn(json.stdout)).toMatchObject([{ applied: Object.keys(migrations), seeded: false }])
})

test("without consent, and without a terminal to type it, nothing is touched", async () => {
  const { run, database } = await openShop()
  await run("deploy")
  await database.query(`INSERT INTO "User" VALUES (1, 'Ada')`)
  const { stderr, exitCode } = await run("reset")
  expect(stderr).toContain(`error[L1305]: dropping all data on postgresql://`)
  expect(stderr).toContain("add --yes")
  expect(exitCode).toBe(2)
  expect(await database.query(`SELECT * FROM "User"`)).toHaveLength(1)
})

test("a schema that is not valid, or an older Prisma's, is no obstacle: only its PostgreSQL schemas are read", async () => {
  const broken = 'datasource db {\n  provider = "postgresql"\n  url = env("SHOP")\n}\nmodel A {\n  id Nothing\n}\n'
  const { run } = await openShop({ schema: broken })
  expect(await run("reset", "--yes")).toMatchObject({ stdout: "Reset: 2 migrations applied.", exitCode: 0 })
  expect(await run("diff", "history", "database")).toMatchObject({ stdout: "No difference.", exitCode: 0 })
})

test.each([
  ["that the Prisma schema does not name", ""],
  ["that the Prisma schema names", '  schemas = ["public", "audit"]\n'],
])("a schema that a migration makes, %s, is made again", async (_, schemas) => {
  const audit = { "20260103000000_audit": "CREATE SCHEMA audit; CREATE TABLE audit.log (id int);\n" }
  const named = `datasource db {\n  provider = "postgresql"\n${schemas}}\n`
  const { run, database } = await openShop({ migrations: { ...migrations, ...audit }, schema: named })
  await run("deploy")
  await database.query("INSERT INTO audit.log VALUES (1); CREATE SCHEMA other; CREATE TABLE other.kept ()")
  expect(await run("reset", "--yes")).toMatchObject({ stdout: "Reset: 3 migrations applied.", exitCode: 0 })
  expect(await database.query("SELECT * FROM audit.log")).toEqual([])
  expect(await database.query("SELECT to_regclass('other.kept')::text AS kept")).toEqual([{ kept: "other.kept" }])
})

test("a variable is no consent", async () => {
  const { project, database } = await openShop()
  const { stderr, exitCode } = await lockstep(["reset"], {
    cwd: project.root,
    url: database.url,
    env: { LOCKSTEP_YES: "1" },
  })
  expect({ stderr, exitCode }).toMatchObject({
    stderr: expect.stringContaining("LOCKSTEP_YES has no effect"),
    exitCode: 2,
  })
})

test("the project's own test database needs none", async () => {
  const { root } = createProject({ migrations, schema })
  await copyCluster(root)
  await up(root)
  try {
    const { stdout, exitCode } = await lockstep(["reset"], { cwd: root })
    expect({ stdout, exitCode }).toEqual({ stdout: "Reset: 2 migrations applied.", exitCode: 0 })
  } finally {
    await down(root)
  }
})

test("a seed that fails is told apart from the migrations, which stand", async () => {
  const { run } = await openShop({ files: { ...config, "seed.mjs": "process.exit(3)" } })
  await run("deploy")
  const { stderr, exitCode } = await run("reset", "--yes")
  expect(stderr).toContain("error[L1306]: seeding failed: node exited with 3")
  expect(stderr).toContain("The database was emptied and migrated.")
  expect(exitCode).toBe(1)
  expect((await run("status")).exitCode).toBe(0)
})
