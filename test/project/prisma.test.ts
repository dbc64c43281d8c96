import { describe, expect, test } from "vitest"
import { findPrisma, refuseOtherPrisma } from "../../src/project/prisma.js"
import { createProject } from "../project.js"

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

test("the project's own Prisma is found, with the script that its CLI is", () => {
  const root = installed("7.10.1")
  expect(findPrisma(root)).toEqual({ version: "7.10.1", cli: `${root}/node_modules/prisma/build/index.js` })
  expect(findPrisma(createProject().root)).toBeUndefined()
})

describe("another Prisma", () => {
  test.each(["5.22.0", "6.19.0", "7.10.1"])("%s writes the same history, and is accepted", (version) => {
    expect(() => refuseOtherPrisma(installed(version))).not.toThrow()
  })

  test("8 is another product: the message names both versions and the one to install", () => {
    expect(() => refuseOtherPrisma(installed("8.0.0"))).toThrow(
      expect.objectContaining({
        code: "L1304",
        message: expect.stringContaining("this project has Prisma 8.0.0"),
        details: expect.objectContaining({ next: expect.stringContaining("prisma@7") }),
      }),
    )
  })

  test("none at all is no obstacle", () => {
    expect(() => refuseOtherPrisma(createProject().root)).not.toThrow()
  })
})
