import { randomUUID } from "node:crypto"
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import pg from "pg"
import { afterAll, beforeAll, expect, test } from "vitest"
import * as z from "zod/mini"
import { repository } from "../support/cli.js"
import { dagger, up } from "./dagger.js"

/** A copy of the repository as git has it, so that what is being written meanwhile changes nothing. */
const folder = mkdtempSync(join(tmpdir(), "lockstep-own-"))
const here = { cwd: join(folder, "repository") }

beforeAll(async () => {
  await execa("git", ["clone", "--quiet", repository, here.cwd])
  rmSync(join(here.cwd, "dagger"), { recursive: true })
  for (const path of ["dagger", "dagger.json"])
    cpSync(join(repository, path), join(here.cwd, path), { recursive: true })
})

afterAll(() => rmSync(folder, { recursive: true }))

async function query(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

const applied = 'SELECT count(*)::int AS count FROM "_prisma_migrations" WHERE finished_at IS NOT NULL'

test("an empty PostgreSQL", async () => {
  const { url } = await up(["postgres"], here)
  expect(await query(url, "SELECT count(*)::int AS count FROM pg_stat_user_tables")).toEqual([{ count: 0 }])
})

test("a test database holds the history; its second start is the server's start alone", async () => {
  const first = await up(["test-db"], here)
  expect(await query(first.url, applied)).toEqual([{ count: 12 }])
  const second = await up(["test-db"], here)
  expect(await query(second.url, applied)).toEqual([{ count: 12 }])
  for (const done of ["12 to apply", "PostgreSQL init process complete"]) expect(second.progress()).not.toContain(done)
})

test("a test database with the seed", async () => {
  const { url } = await up(["test-db", "--seed"], here)
  expect(await query(url, 'SELECT count(*) > 0 AS seeded FROM "Order"')).toEqual([{ seeded: true }])
})

test("a file that git ignores runs nothing again", async () => {
  const replay = async (generated: string) => {
    writeFileSync(join(here.cwd, "src/generated/client.ts"), generated)
    const { exitCode, stderr } = await dagger(["call", "replay"], here)
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
    return stderr
  }
  mkdirSync(join(here.cwd, "src/generated"))
  // A part of the package, so that the first replay is of another runner than any before.
  appendFileSync(join(here.cwd, "README.md"), `${randomUUID()}\n`)
  const applies = / {2}ok {2}\d{14}_/
  expect(await replay("export const one = 1\n")).toMatch(applies)
  expect(await replay("export const two = 2\n")).not.toMatch(applies)
})

test("every check passes", async () => {
  const { exitCode, stderr } = await dagger(["check"], here)
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 })
  for (const name of ["client", "history", "image", "replay", "schema-uncommitted"]) expect(stderr).toContain(name)
})

const report = z.object({
  passed: z.boolean(),
  steps: z.array(z.object({ name: z.string(), state: z.string(), output: z.string() })),
})

test("the whole strategy is verified, with a report for programs and for CI", async () => {
  const path = join(folder, "report")
  expect(await dagger(["call", "verify", "export", `--path=${path}`], here)).toMatchObject({ exitCode: 0 })
  const { passed, steps } = z.parse(report, JSON.parse(readFileSync(join(path, "verify.json"), "utf8")))
  expect(passed).toBe(true)
  const outputs = Object.fromEntries(steps.map(({ name, output }) => [name, output]))
  expect(outputs).toMatchObject({
    apply: expect.stringContaining("12 applied in"),
    status: expect.stringContaining("Up to date: 12 of 12 migrations applied."),
    "deploy again": expect.stringContaining("Nothing to do."),
    generate: expect.stringContaining("Generated Prisma Client"),
    types: expect.stringContaining("no type errors"),
    models: expect.stringContaining("created, updated and deleted"),
    image: expect.stringContaining("  ok  replica 5 of 5 at once"),
  })
  expect(readFileSync(join(path, "junit.xml"), "utf8")).toContain(`tests="${steps.length}" failures="0"`)
  expect(readFileSync(join(path, "verify.html"), "utf8")).toContain(
    `<h1>${steps.length} of ${steps.length} steps passed`,
  )
})

test("what the checks find is a folder of files for CI", async () => {
  const path = join(folder, "found")
  const formats = ["--format=junit", "--format=json", "--format=html"]
  expect(await dagger(["call", "report", ...formats, "export", `--path=${path}`], here)).toMatchObject({ exitCode: 0 })
  const { checks } = JSON.parse(readFileSync(join(path, "check.json"), "utf8"))
  expect(checks).toContainEqual(expect.objectContaining({ check: "schema/uncommitted", state: "passed" }))
  expect(readFileSync(join(path, "check.junit.xml"), "utf8")).toContain('name="schema/uncommitted"')
  expect(readFileSync(join(path, "check.html"), "utf8")).toContain("<h1>")
})
