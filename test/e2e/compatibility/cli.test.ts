import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { repository } from "../../support/cli.js"
import { lockstep } from "../../support/in-process.js"
import { createDatabase } from "../../support/postgres.js"
import { createPrismaProject, prisma } from "../../support/prisma-cli.js"
import { createProject } from "../../support/project.js"
import { catalogOf, exampleHistory, rowsOf } from "./sides.js"

const history = exampleHistory()
const migrations = Object.fromEntries(history.migrations.map(({ name, text }) => [name, text]))
const schema = readFileSync(`${repository}/prisma/schema.prisma`, "utf8")
const half = Object.fromEntries(Object.entries(migrations).slice(0, 6))

test("Prisma's own CLI and Lockstep take turns on one database", async () => {
  const [database, reference] = [await createDatabase(), await createDatabase()]
  const project = createPrismaProject({ schema, migrations: half })
  const options = { project, url: database.url }
  const ours = (...args: string[]) => lockstep(args, { cwd: project.root, url: database.url })
  expect((await ours("deploy")).exitCode).toBe(0)
  for (const [name, sql] of Object.entries(migrations)) project.migration(name, sql)
  const behind = await prisma(["migrate", "status"], options)
  for (const name of Object.keys(migrations).slice(6)) expect(behind.all).toContain(name)
  expect(await prisma(["migrate", "deploy"], options)).toMatchObject({ exitCode: 0 })
  expect((await ours("status")).stdout).toBe("Up to date: 12 of 12 migrations applied.")
  expect((await ours("deploy")).stdout).toContain("Nothing to do.")
  await lockstep(["deploy"], { cwd: project.root, url: reference.url })
  expect(await rowsOf(database)).toEqual(await rowsOf(reference))
  expect(await catalogOf(database)).toEqual(await catalogOf(reference))
})

test("the same on what Prisma's CLI resolves", async () => {
  const stuck = "20260501000000_stuck"
  const database = await createDatabase()
  const project = createPrismaProject({ schema, migrations: { ...migrations, [stuck]: "SELECT 1;\n" } })
  const options = { project, url: database.url }
  const ours = (...args: string[]) => lockstep(args, { cwd: project.root, url: database.url })
  project.remove(`prisma/migrations/${stuck}`)
  await ours("deploy")
  project.migration(stuck, "SELECT 1;\n")
  await database.query(`INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('1', 'x', '${stuck}')`)
  expect((await ours("status")).stdout).toContain("1 failed")
  expect(await prisma(["migrate", "resolve", "--rolled-back", stuck], options)).toMatchObject({ exitCode: 0 })
  expect((await ours("status")).stdout).toContain("rolled back before")
  expect(await prisma(["migrate", "resolve", "--applied", stuck], options)).toMatchObject({ exitCode: 0 })
  expect((await ours("status")).exitCode).toBe(0)
})

test("names run in one order: Prisma 7's", async () => {
  const names = ["1_first", "10_third", "2_fourth", "20260101000000_a", "20260101000000_B", "01_zeroth"]
  const files = { schema, migrations: Object.fromEntries(names.map((name) => [name, "SELECT 1;\n"])) }
  const order = async (work: (url: string) => Promise<unknown>) => {
    const database = await createDatabase()
    await work(database.url)
    return (await rowsOf(database)).map((row) => row.migration_name)
  }
  const ours = await order((url) => lockstep(["deploy"], { cwd: createProject(files).root, url }))
  const project = createPrismaProject(files)
  const database = await createDatabase()
  const status = await prisma(["migrate", "status"], { project, url: database.url })
  const listed = status.all.split("\n").filter((line) => names.includes(line.trim()))
  expect(listed.map((line) => line.trim())).toEqual(ours)
})
