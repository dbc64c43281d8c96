import { expect, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

const shop = () => createProject({ migrations: { "20260101000000_init": "CREATE TABLE a (id int);\n" } })
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
  const waiting = lockstep(["wait", "--applied"], { cwd: root, url })
  await new Promise<void>((said) => {
    waiting.stderr.on("data", (text) => String(text).includes("1 migration is pending") && said())
  })
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

test("SIGTERM ends it", async () => {
  const waiting = lockstep(["wait"], { cwd: shop().root, url: nowhere })
  await new Promise<void>((said) => {
    waiting.stderr.on("data", (text) => String(text).includes("waiting: ") && said())
  })
  waiting.kill("SIGTERM")
  expect(await waiting).toMatchObject({ exitCode: 143 })
})
