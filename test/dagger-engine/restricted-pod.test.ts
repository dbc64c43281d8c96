import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { createDatabase } from "../support/postgres.js"
import { until } from "../support/until.js"
import { call } from "./dagger.js"
import { createOtherProject } from "./other-project.js"

/** What a pod gets that runs under the restricted pod security standard. */
const confined = ["--rm", "--read-only", "--cap-drop=ALL", "--user=54321:54321", "--network=host"]

/** How containers may run here: a command line up to `run`, with what this machine needs. */
const given = process.env.LOCKSTEP_TEST_CONTAINERS?.split(" ")
const engines = given
  ? [given]
  : [
      ["docker", "run"],
      ["podman", "run"],
    ]

const folder = mkdtempSync(join(tmpdir(), "lockstep-confined-"))
/** The one that runs them, and the image in it; without any, every test is skipped. */
let engine: readonly string[] = []
let image = ""

beforeAll(async () => {
  const path = join(folder, "image.tar")
  const project = await createOtherProject()
  const words = ["-m", "./toolchains/lockstep", "--source=.", "tarball", "export", `--path=${path}`]
  await call(words, { cwd: project.root })
  project.drop()
  for (const words of engines) {
    const [program = "", ...rest] = words
    const { stdout = "", failed } = await execa(program, ["load", "--quiet", "--input", path], { reject: false })
    if (failed) continue
    image = stdout.trim().split(/\s+/).at(-1) ?? ""
    const trial = await execa(program, [...rest, ...confined, image, "node", "--version"], { reject: false })
    if (!trial.failed) {
      engine = words
      return
    }
    await execa(program, ["rmi", "--force", image], { reject: false })
  }
  console.log("skipped: neither docker nor podman runs a read-only container on this machine")
})

beforeEach((context) => {
  if (engine.length === 0) context.skip()
})

afterAll(async () => {
  rmSync(folder, { recursive: true })
  if (engine[0]) await execa(engine[0], ["rmi", "--force", image], { reject: false })
})

/** Runs the image; with SQL, its one migration is that instead of its own. */
function run(url: string, { sql, command = [] }: { sql?: string; command?: readonly string[] } = {}) {
  const other =
    sql === undefined ? [] : ["--volume", `${history(sql)}:/other:ro`, "--env", "LOCKSTEP_MIGRATIONS=/other"]
  const [program = "", ...words] = [...engine, ...confined, ...other, "--env", "DATABASE_URL", image, ...command]
  return execa(program, words, { env: { DATABASE_URL: url }, reject: false, all: true })
}

/** A folder with one migration, which anybody may read. */
function history(sql: string): string {
  const migrations = mkdtempSync(join(folder, "history-"))
  chmodSync(folder, 0o755)
  chmodSync(migrations, 0o755)
  mkdirSync(join(migrations, "01_other"))
  writeFileSync(join(migrations, "01_other/migration.sql"), sql)
  writeFileSync(join(migrations, "migration_lock.toml"), 'provider = "postgresql"\n')
  return migrations
}

describe("read-only, without capabilities, as any user", () => {
  test("five replicas at once, through the chart's command; then nothing is left to do", async () => {
    const { url, query } = await createDatabase()
    const command = ["npx", "prisma", "migrate", "deploy"]
    const replicas = await Promise.all(Array.from({ length: 5 }, () => run(url, { command })))
    expect(replicas.map(({ exitCode, all }) => ({ exitCode, all }))).toEqual(
      replicas.map(() => ({ exitCode: 0, all: expect.stringMatching(/No pending migrations|have been applied/) })),
    )
    expect(await query('SELECT count(*)::int AS rows FROM "_prisma_migrations"')).toEqual([{ rows: 1 }])
    expect(await run(url)).toMatchObject({ exitCode: 0, all: expect.stringContaining("Nothing to do") })
    for (const [verb, text] of [
      ["status", "Up to date: 1 of 1"],
      ["wait", ""],
      ["plan", ""],
    ] as const) {
      const answer = await run(url, { command: ["lockstep", verb] })
      expect(answer).toMatchObject({ exitCode: 0, all: expect.stringContaining(text) })
    }
  })

  test("a failing migration: exit 1, with file and line; the log's first line names the version, the history and the database", async () => {
    const { url, name } = await createDatabase()
    const { exitCode, all = "" } = await run(url, { sql: "-- fails\n\nSELECT missing_column;\n" })
    expect(exitCode).toBe(1)
    expect(all).toContain("01_other/migration.sql:3")
    expect(all.split("\n")[0]).toMatch(
      new RegExp(`^lockstep \\S+, history \\w+ of 1 migration -> 127\\.0\\.0\\.1:\\d+/${name}$`),
    )
  })

  test("SIGTERM ends it with 143, and nothing is half-done", async () => {
    const { url, query } = await createDatabase()
    const running = run(url, { sql: 'CREATE TABLE "Half" ();\nSELECT pg_sleep(600);\n' })
    const asleep =
      "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid() AND datname = current_database()"
    await until("the migration to run", async () => (await query(asleep)).length > 0)
    running.kill("SIGTERM")
    expect((await running).exitCode).toBe(143)
    expect(await query(asleep)).toEqual([])
    expect(await query(`SELECT to_regclass('"Half"') AS half`)).toEqual([{ half: null }])
  })
})
