import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { execa } from "execa"
import { expect, onTestFinished, test, vi } from "vitest"
import { environment } from "../support/cli.js"
import { createDatabase } from "../support/postgres.js"
import { enginePath } from "../support/prisma-cli.js"

/** The schema engine as Prisma's CLI starts it, and a way to ask it. */
function startEngine(url: string) {
  const args = ["--datasource", JSON.stringify({ url })]
  const engine = execa(process.execPath, [enginePath, ...args], { env: environment(), extendEnv: false, reject: false })
  onTestFinished(() => void engine.kill("SIGKILL"))
  const lines = createInterface({ input: engine.stdout })[Symbol.asyncIterator]()
  let id = 0
  const nextLine = async (): Promise<unknown> => JSON.parse((await lines.next()).value ?? "null")
  const ask = async (method: string, params: object = {}): Promise<unknown> => {
    engine.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params })}\n`)
    return await nextLine()
  }
  return { engine, ask, nextLine }
}

const filters = { externalTables: [], externalEnums: [] }
const historyOf = (sql: string) => ({
  tag: "migrations",
  baseDir: "/none",
  lockfile: { path: "migration_lock.toml", content: 'provider = "postgresql"' },
  shadowDbInitScript: "",
  migrationDirectories: [{ path: "1_x", migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } } }],
})
const diffOf = (sql: string) => ({ from: historyOf(sql), to: { tag: "empty" }, script: true, exitCode: null, filters })

test.each([
  ["a URL in the place of its JSON, as up to Prisma 6", "postgresql://app:hunter2@127.0.0.1:1/shop", "P1001"],
  ["what is neither", '{ "url": "postgresql://app:hunter2@db/shop"', ""],
])("%s fails with an error, and is not repeated", async (_, datasource, code) => {
  const args = ["--datasource", datasource, "cli", "can-connect-to-database"]
  const { stderr, exitCode } = await execa(process.execPath, [enginePath, ...args], { reject: false })
  const last = stderr.trim().split("\n").at(-1) ?? ""
  expect(JSON.parse(last)).toMatchObject({ level: "ERROR", fields: { is_panic: false, error_code: code } })
  expect(stderr).not.toContain("hunter2")
  expect(exitCode).toBe(1)
})

test("an answer, a refusal with Prisma's code, and an unknown method", async () => {
  const { ask, engine } = startEngine((await createDatabase()).url)
  expect(await ask("getDatabaseVersion")).toMatchObject({
    jsonrpc: "2.0",
    id: 1,
    result: expect.stringMatching(/^Postgre/),
  })
  const refused = await ask("markMigrationApplied", { migrationName: "nope", migrationsList: historyOf("SELECT 1;") })
  expect(refused).toMatchObject({ id: 2, error: { code: 4466, data: { is_panic: false, error_code: "P3017" } } })
  expect(await ask("nope")).toMatchObject({ id: 3, error: { code: -32601 } })
  engine.stdin.end()
  expect(await engine).toMatchObject({ exitCode: 0 })
})

test("a diff's text is printed through the CLI before the answer", async () => {
  const { ask, nextLine } = startEngine((await createDatabase()).url)
  const printed = await ask("diff", diffOf("CREATE TABLE t (n int PRIMARY KEY);"))
  expect(printed).toMatchObject({ method: "print", params: { content: expect.stringContaining("DROP TABLE") } })
  expect(await nextLine()).toMatchObject({ id: 1, result: { exitCode: 0, stdout: null } })
})

test("a panic is answered, and ends the process as the native engine's does", async () => {
  const { engine, ask } = startEngine((await createDatabase()).url)
  const answer = await ask("debugPanic")
  expect(answer).toMatchObject({ id: 1, error: { data: { is_panic: true } } })
  expect(JSON.stringify(answer)).not.toMatch(/\.rs:\d+/)
  const { exitCode, stderr } = await engine
  expect(exitCode).toBe(101)
  const last = JSON.parse(stderr.trim().split("\n").at(-1) ?? "")
  expect(last).toMatchObject({
    level: "ERROR",
    fields: { is_panic: true, message: expect.stringContaining("debugPanic") },
  })
})

test.each([
  ["can-connect-to-database", "P1003"],
  ["create-database", undefined],
  ["can-connect-to-database", undefined],
])("cli %s gives %s", async (command, code) => {
  const database = await createDatabase()
  if (code ?? command === "create-database") await database.drop()
  const args = [enginePath, "--datasource", JSON.stringify({ url: database.url }), "cli", command]
  const { stderr, exitCode } = await execa(process.execPath, args, {
    reject: false,
    env: environment(),
    extendEnv: false,
  })
  const lines = stderr.split("\n").map((line) => JSON.parse(line))
  const last = lines.at(-1)
  expect({ exitCode, level: last.level, code: last.fields.error_code }).toEqual(
    code ? { exitCode: 1, level: "ERROR", code } : { exitCode: 0, level: "INFO", code: undefined },
  )
})

test.skipIf(process.platform !== "linux")("the URL does not stay in argv, where every user could read it", async () => {
  const address = new URL((await createDatabase()).url)
  address.searchParams.set("application_name", "argv-secret")
  const { engine, ask } = startEngine(address.href)
  await ask("getDatabaseVersion")
  expect(readFileSync(`/proc/${engine.pid}/cmdline`, "utf8")).not.toContain("argv-secret")
})

test("idle, it ends at once on SIGTERM, which is how the CLI stops it", async () => {
  const { engine, ask, nextLine } = startEngine((await createDatabase()).url)
  await ask("diff", diffOf("CREATE TABLE t (n int PRIMARY KEY);"))
  await nextLine()
  engine.kill("SIGTERM")
  expect((await engine).exitCode).toBe(0)
})

test("interrupted in the middle of a replay, it drops its scratch database", async () => {
  const database = await createDatabase()
  const mark = `marked_${database.name}`
  const { engine, ask } = startEngine(database.url)
  void ask("diff", diffOf(`SELECT pg_sleep(60), '${mark}';`))
  const running = `SELECT datname FROM pg_stat_activity WHERE query LIKE '%${mark}%' AND pid <> pg_backend_pid()`
  const scratch = await vi.waitFor(
    async () => {
      const [row] = await database.query(running)
      expect(row).toBeDefined()
      return String(row?.datname)
    },
    { timeout: 20_000 },
  )
  engine.kill("SIGTERM")
  expect((await engine).exitCode).toBe(143)
  expect(await database.query("SELECT FROM pg_database WHERE datname = $1", [scratch])).toEqual([])
})
