import { existsSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, test } from "vitest"
import { typeCheck } from "../../src/client/module.js"
import { lockstep, repository } from "../support/cli.js"

const entry = join(repository, "src/generated/prisma/client.ts")

beforeAll(async () => {
  if (!existsSync(entry)) await lockstep(["generate"], { cwd: repository })
})

test("the types are checked without a database", async () => {
  expect(await lockstep(["test-client", "--only", "types"], { cwd: repository })).toMatchObject({
    exitCode: 0,
    stdout: "The client has no type errors.",
  })
})

test("a model that the client does not have is a type error, and nothing is left in the project", async () => {
  const generator = { name: "client", provider: "prisma-client", entry } as const
  await expect(typeCheck(repository, generator, ["NoSuchModel"])).rejects.toMatchObject({
    code: "L1321",
    details: { hint: expect.stringContaining("noSuchModel") },
  })
  expect(existsSync(join(repository, `.lockstep-${process.pid}.ts`))).toBe(false)
})
