import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { objectsIn } from "../e2e/json.js"
import { createDatabase } from "../support/postgres.js"
import { migrations, openShop, scratchDatabasesLeftOn, widerSchema } from "../support/shop.js"

const age = "20260103000000_age"
const withAge = { ...migrations, [age]: 'ALTER TABLE "User" ADD COLUMN "age" INTEGER;\n' }

test("--update-schema takes the change back in the Prisma schema too, so that the next migrate has nothing to do", async () => {
  const { run, project } = await openShop({ schema: widerSchema, migrations: withAge })
  await run("deploy")
  const refused = await run("undo", "--update-schema")
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('column "User"."age"') })
  const { stdout, stderr, exitCode } = await run("undo", "--accept-data-loss", "--update-schema", "--json")
  expect({ stderr, exitCode }).toMatchObject({ exitCode: 0 })
  expect(objectsIn(stdout)).toMatchObject([{ undoes: [age], prismaSchema: "updated" }])
  expect(readFileSync(join(project.root, "prisma/schema.prisma"), "utf8")).not.toContain("age")
  const { stdout: next } = await run("migrate", "--name", "again")
  expect(next).toBe("Nothing to do: the history already makes this schema.")
})

test("without it the person is told how the schema goes back", async () => {
  const { run } = await openShop({ schema: widerSchema, migrations: withAge })
  const { stderr } = await run("undo", "--accept-data-loss")
  expect(stderr).toMatch(
    /still has the undone change[\s\S]*by --update-schema: remove prisma\/migrations\/\d+_undo_age/,
  )
})

test("a schema that cannot go back is refused before anything is written", async () => {
  const { run, project } = await openShop({ schema: widerSchema, migrations: withAge })
  const path = join(project.root, "prisma/schema.prisma")
  writeFileSync(path, `${widerSchema}\nmodel Unfinished {\n`)
  const { stderr, exitCode } = await run("undo", "--accept-data-loss", "--update-schema")
  expect({ stderr, exitCode }).toMatchObject({ stderr: expect.stringContaining("L1417"), exitCode: 1 })
  expect((await run("status")).stdout).toContain("3 pending")
})

test("of a migration that changes rows alone it says which one is meant, and that the rows stay", async () => {
  const data = "20260103000000_data"
  const { run } = await openShop({ migrations: { ...migrations, [data]: 'DELETE FROM "User";\n' } })
  const { stdout, exitCode } = await run("undo")
  expect({ stdout, exitCode }).toMatchObject({
    stdout: expect.stringContaining(
      `Nothing to undo: ${data} changes no schema; the rows that it changed stay as they are.`,
    ),
    exitCode: 0,
  })
})

test.each(["prisma.config", "the schema, as up to Prisma 6"])(
  "the shadow database that %s names is where an undo is tried, and takes the schema back",
  async (where) => {
    const shadow = await createDatabase()
    await shadow.query("CREATE TABLE earlier (n int)")
    const inConfig = where === "prisma.config"
    const config = `export default { datasource: { url: process.env.DATABASE_URL, shadowDatabaseUrl: "${shadow.url}" } }\n`
    const line = `provider = "postgresql"\n  url = env("DATABASE_URL")\n  shadowDatabaseUrl = "${shadow.url}"`
    const { run, project, database } = await openShop({
      schema: inConfig ? widerSchema : widerSchema.replace('provider = "postgresql"', line),
      migrations: withAge,
      files: inConfig ? { "prisma.config.mjs": config } : {},
    })
    await run("deploy")
    const { stderr, exitCode } = await run("undo", "--accept-data-loss", "--update-schema")
    expect({ stderr, exitCode }).toMatchObject({
      stderr: expect.stringContaining("Verified on a scratch database"),
      exitCode: 0,
    })
    expect(readFileSync(join(project.root, "prisma/schema.prisma"), "utf8")).not.toContain("age")
    // It was emptied before use, as Prisma does, which the others that are made beside a database would not have done.
    expect(await shadow.query("SELECT tablename FROM pg_tables WHERE tablename = 'earlier'")).toEqual([])
    expect(await scratchDatabasesLeftOn(database)).toBe(0)
    await run("deploy")
    expect(
      await database.query(
        `SELECT column_name FROM information_schema.columns WHERE table_name = 'User' AND column_name = 'age'`,
      ),
    ).toEqual([])
    expect((await run("diff", "history", "schema")).stdout).toBe("No difference.")
  },
)
