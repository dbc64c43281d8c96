import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { lockKey } from "../../src/history/lock.js"
import { type CliProcess, lockstep as lockstepProcess } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

const shop = () => createProject({ migrations: { "20260101000000_init": "CREATE TABLE a (id int);\n" } })
/** Listens to what a command narrates, from now on: resolves when it has said the words. */
function listen(running: CliProcess): (words: string) => Promise<void> {
  let all = ""
  running.stderr.on("data", (text) => {
    all += String(text)
  })
  return async (words) => {
    while (!all.includes(words)) await new Promise((heard) => running.stderr.once("data", heard))
  }
}

async function queryAs(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(sql).finally(() => client.end())
}

const nowhere = "postgresql://postgres@127.0.0.1:1/shop"

test("a database that answers is waited for no longer", async () => {
  const { url } = await createDatabase()
  const result = await lockstep(["wait"], { cwd: shop().root, url })
  expect(result).toMatchObject({ exitCode: 0, stdout: "Ready: the database accepts connections." })
})

test("a server without the database is enough: a deploy creates it", async () => {
  const { url } = await createDatabase()
  const result = await lockstep(["wait"], { cwd: shop().root, url: `${url}_none` })
  expect(result.exitCode).toBe(0)
})

test("--applied waits until another process has deployed", async () => {
  const { url } = await createDatabase()
  const { root } = shop()
  const waiting = lockstepProcess(["wait", "--applied"], { cwd: root, url })
  const said = listen(waiting)
  await said("1 migration is pending")
  expect(await lockstep(["deploy"], { cwd: root, url })).toMatchObject({ exitCode: 0 })
  expect(await waiting).toMatchObject({ exitCode: 0, stdout: "Ready: 1 migration is applied." })
})

test("what does not come in time is named, and the exit code is 1", async () => {
  const { root } = shop()
  const result = await lockstep(["wait", "--timeout", "50ms"], { cwd: root, url: nowhere })
  expect(result.exitCode).toBe(1)
  expect(result.stdout).toMatch(/^Not ready after .*: cannot connect to .*: nothing listens there\.$/)
  const json = await lockstep(["wait", "--applied", "--timeout", "0", "--json"], { cwd: root, url: nowhere })
  expect(JSON.parse(json.stdout)).toMatchObject({ schema: "lockstep.wait/1", ready: false })
})

test("a failed migration ends the wait at once: nobody's deploy gets past it", async () => {
  const database = await createDatabase()
  const { root } = shop()
  await lockstep(["deploy"], { cwd: root, url: database.url })
  await database.query("UPDATE _prisma_migrations SET finished_at = NULL")
  const result = await lockstep(["wait", "--applied"], { cwd: root, url: database.url })
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("error[L1104]") })
})

test("a migration that is being applied outside a transaction, whose row is unfinished, has not failed", async () => {
  const database = await createDatabase()
  const { root } = shop()
  await lockstep(["deploy"], { cwd: root, url: database.url })
  await database.query("UPDATE _prisma_migrations SET finished_at = NULL")
  const deployer = new pg.Client({ connectionString: database.url })
  await deployer.connect()
  await deployer.query(`SELECT pg_advisory_lock(${lockKey})`)
  const waiting = lockstepProcess(["wait", "--applied"], { cwd: root, url: database.url })
  const said = listen(waiting)
  await said("waiting: 20260101000000_init is being applied")
  await deployer.query("UPDATE _prisma_migrations SET finished_at = now()")
  await deployer.end()
  expect(await waiting).toMatchObject({ exitCode: 0, stdout: "Ready: 1 migration is applied." })
})

test("a role that may only read the history is enough; until a migration lets it read, it waits", async () => {
  const database = await createDatabase()
  const role = `${database.name}_app`
  await database.query(`CREATE ROLE ${role} LOGIN`)
  onTestFinished(async () => {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })
  const { root, migration } = shop()
  const asApplication = new URL(database.url)
  asApplication.username = role
  const waiting = lockstepProcess(["wait", "--applied"], { cwd: root, url: asApplication.href })
  const said = listen(waiting)
  await said("waiting: 1 migration is pending")
  await lockstep(["deploy"], { cwd: root, url: database.url })
  await said(`may not read "public"."_prisma_migrations"`)
  migration("20260102000000_grant", `GRANT SELECT ON _prisma_migrations TO ${role};\n`)
  expect(await lockstep(["deploy"], { cwd: root, url: database.url })).toMatchObject({ exitCode: 0 })
  expect(await waiting).toMatchObject({ exitCode: 0, stdout: "Ready: 1 migration is applied." })
  await expect(queryAs(asApplication.href, "DELETE FROM _prisma_migrations")).rejects.toThrow(/permission denied/)
  await expect(queryAs(asApplication.href, "SELECT FROM a")).rejects.toThrow(/permission denied/)
})

test("SIGTERM ends it", async () => {
  const waiting = lockstepProcess(["wait"], { cwd: shop().root, url: nowhere })
  const said = listen(waiting)
  await said("waiting: ")
  waiting.kill("SIGTERM")
  expect(await waiting).toMatchObject({ exitCode: 143 })
})
