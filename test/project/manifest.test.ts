import { describe, expect, test } from "vitest"
import { findPrisma, readManifest, refuseNewerPrisma } from "../../src/project/manifest.js"
import { createProject } from "../support/project.js"

const installed = (version: string) =>
  createProject({
    files: {
      "node_modules/prisma/package.json": JSON.stringify({
        name: "prisma",
        version,
        bin: { prisma: "build/index.js" },
      }),
    },
  }).root

describe("a package.json", () => {
  const read = (content: string) => readManifest(createProject({ files: { "package.json": content } }).root)

  test("has Lockstep's settings, and those of Prisma up to version 6", () => {
    const prisma = { schema: "db/schema.prisma", seed: "tsx seed.ts" }
    const content = JSON.stringify({ name: "shop", lockstep: { lockWait: "10m" }, prisma: { ...prisma, other: 1 } })
    expect(read(`\uFEFF${content}`)).toMatchObject({ name: "shop", lockstep: { lockWait: "10m" }, prisma })
  })

  test("that does not exist is as an empty one", () => {
    const empty = { dependencies: {}, lockstep: {}, prisma: {} }
    expect(readManifest("/nowhere")).toMatchObject(empty)
    expect(read("{}")).toEqual(readManifest("/nowhere"))
  })

  test("may have a license in the form that old packages use, which is left out", () => {
    expect(read('{ "license": { "type": "MIT" } }').license).toBeUndefined()
    expect(read('{ "license": "MIT" }').license).toBe("MIT")
  })

  test.each([
    ["{,}", "JSON"],
    ["[]", "Invalid input"],
    ['{ "lockstep": "10m" }', "lockstep"],
    ['{ "prisma": { "seed": 1 } }', "prisma.seed"],
  ])("that is %s is refused, and the reason is given", (content, reason) => {
    expect(() => read(content)).toThrow(
      expect.objectContaining({
        code: "L1302",
        message: expect.stringContaining("package.json cannot be used"),
        details: expect.objectContaining({ hint: expect.stringContaining(reason) }),
      }),
    )
  })
})

test("the project's own Prisma is found, with the script that its CLI is", () => {
  const root = installed("7.10.1")
  expect(findPrisma(root)).toEqual({ version: "7.10.1", cli: `${root}/node_modules/prisma/build/index.js` })
  expect(findPrisma(createProject().root)).toBeUndefined()
})

describe("another Prisma", () => {
  test.each(["5.22.0", "6.19.0", "7.10.1"])("%s writes the same history, and is accepted", (version) => {
    expect(() => refuseNewerPrisma(installed(version))).not.toThrow()
  })

  test("8 is another product: the message names both versions and the one to install", () => {
    expect(() => refuseNewerPrisma(installed("8.0.0"))).toThrow(
      expect.objectContaining({
        code: "L1304",
        message: expect.stringContaining("this project has Prisma 8.0.0"),
        details: expect.objectContaining({ next: expect.stringContaining("prisma@7") }),
      }),
    )
  })

  test("none at all is no obstacle", () => {
    expect(() => refuseNewerPrisma(createProject().root)).not.toThrow()
  })
})
