import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { buildWhereStale } from "../support/built.js"
import { lockstep, repository } from "../support/cli.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { type Container, notConfined, openContainer } from "./container.js"

const deploy = ["node", "/app/node_modules/prisma-lockstep/dist/cli.js", "deploy"]
const npx = ["npx", "prisma", "migrate"]
const migrationsDir = join(repository, "prisma/migrations")
const history = readdirSync(migrationsDir).filter((name) => name !== "migration_lock.toml")

const folder = mkdtempSync(join(tmpdir(), "lockstep-image-test-"))
const containers: Container[] = []

async function containerOf(name: string, ...args: string[]): Promise<Container> {
  const out = join(folder, name)
  const result = await lockstep(["image", "--out", out, ...args], { cwd: repository })
  if (result.failed) throw new Error(result.all)
  const container = await openContainer(out)
  containers.push(container)
  return container
}

/** For this test, the same image with one more migration in its last layer. */
function withMigration(container: Container, name: string, sql: string): void {
  const added = join(container.root, "app/prisma/migrations", name)
  mkdirSync(added)
  writeFileSync(join(added, "migration.sql"), sql)
  onTestFinished(() => rmSync(added, { recursive: true }))
}

const recorded = async (database: TestDatabase): Promise<unknown> =>
  (await database.query("SELECT count(*)::int AS rows FROM _prisma_migrations WHERE finished_at IS NOT NULL"))[0]?.rows

let full: Container
let slim: Container

beforeAll(async () => {
  if (notConfined) console.log(`Containers are imitated without confinement, ${notConfined}`)
  await buildWhereStale()
  full = await containerOf("full")
  slim = await containerOf("slim", "--slim")
})

afterAll(() => {
  for (const container of containers) container.drop()
  rmSync(folder, { recursive: true, force: true })
})

describe.each([
  ["with Prisma's CLI", () => full],
  ["slim", () => slim],
])("the image %s", (_, container) => {
  test("deploys by default; a second deploy has nothing to do, which is its last line", async () => {
    const database = await createDatabase()
    const first = await container().run(deploy, { database })
    expect(first).toMatchObject({ exitCode: 0 })
    expect(first.stdout).toContain(`${history.length} applied`)
    const second = await container().run(["lockstep", "deploy"], { database })
    expect(second).toMatchObject({ exitCode: 0 })
    expect(second.all.trim().split("\n").at(-1)).toMatch(/^Nothing to do/)
    const status = await container().run(["lockstep", "status"], { database })
    expect(status).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^Up to date/) })
    const wait = await container().run(["lockstep", "wait", "--applied"], { database })
    expect(wait).toMatchObject({ exitCode: 0, stdout: `Ready: ${history.length} migrations are applied.` })
  })

  test("names file and line of a migration that fails, and leaves nothing behind", async () => {
    const database = await createDatabase()
    withMigration(container(), "20300101000000_wrong", 'SELECT 1;\n\nUPDATE "Nobody" SET x = 1;\n')
    const result = await container().run(deploy, { database })
    expect(result.exitCode).toBe(1)
    expect(result.all).toContain("prisma/migrations/20300101000000_wrong/migration.sql:3:8")
    expect(await recorded(database)).toBe(history.length)
  })

  test("ends on SIGTERM, and the statement with it", async () => {
    const database = await createDatabase()
    withMigration(container(), "20300101000000_slow", "SELECT pg_sleep(60);\n")
    const running = container().run(deploy, { database })
    await expect.poll(() => sleepers(database), { timeout: 20_000 }).toBe(1)
    process.kill(await container().firstProcess(running), "SIGTERM")
    const result = await running
    expect(result.exitCode).toBe(143)
    expect(await sleepers(database)).toBe(0)
    expect(await recorded(database)).toBe(history.length)
  })
})

const sleepers = async (database: TestDatabase): Promise<unknown> =>
  (
    await database.query(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
    )
  )[0]?.n

// A migration that fails is above, and through Prisma's CLI in test/schema-engine/json-rpc/server.test.ts.
describe("npx prisma", () => {
  test("migrate deploy in two replicas at once: one applies, the other has nothing to do; migrate status agrees", {
    timeout: 120_000,
  }, async () => {
    const database = await createDatabase()
    const results = await Promise.all(Array.from({ length: 2 }, () => full.run([...npx, "deploy"], { database })))
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0])
    for (const words of ["All migrations have been successfully applied", "No pending migrations to apply."])
      expect(results.filter(({ all }) => all.includes(words))).toHaveLength(1)
    expect(await recorded(database)).toBe(history.length)
    const status = await full.run([...npx, "status"], { database })
    expect(status).toMatchObject({ exitCode: 0, all: expect.stringContaining("Database schema is up to date") })
  })

  test("migrate resolve and diff work as Prisma documents them", async () => {
    const database = await createDatabase()
    const [resolve, diff] = await Promise.all([
      full.run([...npx, "resolve", "--applied", history[0] ?? ""], { database }),
      full.run([...npx, "diff", "--from-empty", "--to-schema", "prisma/schema.prisma", "--script"], { database }),
    ])
    expect(resolve).toMatchObject({ exitCode: 0, all: expect.stringContaining("marked as applied") })
    expect(diff).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('CREATE TABLE "') })
    expect(await recorded(database)).toBe(1)
  })
})

describe.skipIf(notConfined !== undefined)("confined", () => {
  test("user, capabilities, root and network are what the other tests rely on", async () => {
    const database = await createDatabase()
    const probe = `
      import { readFileSync, writeFileSync } from "node:fs"
      import { networkInterfaces } from "node:os"
      const status = readFileSync("/proc/self/status", "utf8")
      const written = ["/x", "/app/x", "/tmp/x"].filter((path) => { try { writeFileSync(path, ""); return true } catch { return false } })
      console.log(JSON.stringify({ pid: process.pid, uid: process.getuid(), written, interfaces: networkInterfaces(), caps: /CapBnd:\\s*(\\S+)/.exec(status)[1] }))`
    const result = await full.run(["node", "--input-type=module", "-e", probe], { database })
    expect(JSON.parse(result.stdout)).toEqual({
      pid: 1,
      uid: 12345,
      written: [],
      interfaces: {},
      caps: "0000000000000000",
    })
  })

  test("npx as the first process ends on SIGTERM, without waiting for the statement, with nothing half-done", async () => {
    const database = await createDatabase()
    withMigration(full, "20300101000000_slow", "SELECT pg_sleep(60);\n")
    const running = full.run([...npx, "deploy"], { database })
    await expect.poll(() => sleepers(database), { timeout: 20_000 }).toBe(1)
    process.kill(await full.firstProcess(running), "SIGTERM")
    const result = await running
    expect(result.exitCode).not.toBe(0)
    expect(await recorded(database)).toBe(history.length)
  })
})
