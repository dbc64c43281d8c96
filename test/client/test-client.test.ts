import { existsSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, test } from "vitest"
import { lockstep, repository } from "../cli.js"
import { objectsIn } from "../commands/json.js"
import { createDatabase } from "../postgres.js"

const here = { cwd: repository }

beforeAll(async () => {
  if (existsSync(join(repository, "src/generated/prisma/client.ts"))) return
  await lockstep(["generate"], here)
})

test("rows of every model are written and taken back", async () => {
  const { url, query } = await createDatabase()
  await lockstep(["deploy"], { ...here, url })
  const before = await query('SELECT count(*)::int AS users FROM "User"')
  const { exitCode, stdout } = await lockstep(["test-client", "--only", "models", "--json"], { ...here, url })
  expect(exitCode).toBe(0)
  expect(objectsIn(stdout)).toHaveLength(1)
  const { models } = JSON.parse(stdout)
  expect(models.length).toBeGreaterThan(12)
  expect(models.filter(({ state }: { state: string }) => state !== "read and written")).toEqual([])
  expect(await query('SELECT count(*)::int AS users FROM "User"')).toEqual(before)
})

test("a database that the client was not made for is refused, with the model and the reason", async () => {
  const { url, query } = await createDatabase()
  await lockstep(["deploy"], { ...here, url })
  await query('ALTER TABLE "Session" DROP COLUMN "userAgent"')
  const { exitCode, stderr } = await lockstep(["test-client", "--only", "models"], { ...here, url })
  expect(exitCode).toBe(1)
  expect(stderr).toContain("error[L1322]: the client cannot work with Session")
  expect(stderr).toContain("userAgent")
})

test("a made-up row that a check constraint refuses is no failure: the model is read", async () => {
  const { url, query } = await createDatabase()
  await lockstep(["deploy"], { ...here, url })
  await query('ALTER TABLE "Tag" ADD CONSTRAINT "never" CHECK (false)')
  const { exitCode, stderr } = await lockstep(["test-client", "--only", "models"], { ...here, url })
  expect(exitCode).toBe(0)
  expect(stderr).toContain("Tag is only read: never refuses a made-up row")
})

test("the types are checked without a database", async () => {
  expect(await lockstep(["test-client", "--only", "types"], here)).toMatchObject({
    exitCode: 0,
    stdout: "The client's types hold.",
  })
})
