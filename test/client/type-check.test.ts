import { existsSync } from "node:fs"
import { join } from "node:path"
import { beforeAll, expect, test } from "vitest"
import { typeCheck } from "../../src/client/module.js"
import { repository } from "../support/cli.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"

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
  const generator = { name: "client", provider: "prisma-client", entry, engineType: undefined } as const
  await expect(typeCheck(repository, generator, ["NoSuchModel"])).rejects.toMatchObject({
    code: "L1321",
    details: { hint: expect.stringContaining("noSuchModel") },
  })
  expect(existsSync(join(repository, `.lockstep-${process.pid}.ts`))).toBe(false)
})

test("a client that was not generated is named as such, not as type errors", async () => {
  const absent = {
    name: "client",
    provider: "prisma-client",
    entry: join(repository, "src/nowhere/client.ts"),
    engineType: undefined,
  } as const
  await expect(typeCheck(repository, absent, [])).rejects.toMatchObject({
    code: "L1320",
    message: "the client was not generated: src/nowhere/client.ts does not exist",
    details: { next: "`lockstep generate`" },
  })
  const { root } = createProject()
  const inPackage = { ...absent, provider: "prisma-client-js", entry: "@prisma/client" } as const
  await expect(typeCheck(root, inPackage, [])).rejects.toMatchObject({ code: "L1320" })
})
