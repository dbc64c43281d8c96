import { expect, test } from "vitest"
import { copyCluster } from "../support/cluster.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"
import { init, migrations, openShop, orders } from "../support/shop.js"
import { objectsIn } from "./json.js"

const concurrently = { "20260103000000_index": `CREATE INDEX CONCURRENTLY i ON "User" (name);\n` }

test("deploy prints an object a line as it happens; the last one is its result", async () => {
  const { run } = await openShop({ migrations: { ...migrations, ...concurrently }, lockfile: null })
  const objects = objectsIn((await run("deploy", "--json")).stdout)
  expect(objects.at(-1)).toMatchObject({ event: "done", applied: [init, orders, "20260103000000_index"], recorded: 3 })
  expect(objects).toContainEqual(expect.objectContaining({ event: "note" }))
  expect(objects).toContainEqual(expect.objectContaining({ event: "applied", class: "non-transactional" }))
  expect(objects).toContainEqual(expect.objectContaining({ event: "verified", recorded: 3, of: 3 }))
})

test("a deploy that fails ends with the error: where, what state, what next", async () => {
  const { run } = await openShop({ migrations: { [init]: "SELECT 1;\nSELECT nothing;\n" } })
  const { stdout, exitCode } = await run("deploy", "--json")
  expect(objectsIn(stdout).at(-1)).toMatchObject({
    code: "L1012",
    file: `prisma/migrations/${init}/migration.sql`,
    line: 2,
    column: 8,
    sqlstate: "42703",
    state: expect.any(String),
    next: expect.any(String),
  })
  expect(exitCode).toBe(1)
})

test("undo, wait and test-db", async () => {
  const { run } = await openShop()
  await run("deploy")
  expect(objectsIn((await run("undo", "--accept-data-loss", "--json")).stdout)).toMatchObject([
    { state: "written", undoes: [orders] },
  ])
  expect(objectsIn((await run("wait", "--json")).stdout)).toMatchObject([{ ready: true }])
  const { root } = createProject()
  expect(objectsIn((await lockstep(["test-db", "url", "--json"], { cwd: root })).stdout)).toMatchObject([
    { code: "L1510" },
  ])
  await copyCluster(root)
  expect(objectsIn((await lockstep(["test-db", "up", "--json"], { cwd: root })).stdout)).toMatchObject([
    { state: "running" },
  ])
  expect(objectsIn((await lockstep(["test-db", "down", "--json"], { cwd: root })).stdout)).toMatchObject([
    { state: "stopped" },
  ])
})

test("kubernetes", async () => {
  const { run } = await openShop()
  expect(objectsIn((await run("kubernetes", "init-container", "--hardened", "--json")).stdout)).toMatchObject([
    { initContainers: [{ name: "db-migrate" }] },
  ])
  expect(objectsIn((await run("kubernetes", "values", "--json")).stdout)).toMatchObject([
    { values: { database: { secretKey: "DATABASE_URL" } } },
  ])
})
