import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { findPackage } from "../../src/test-db/binaries.js"
import { majors, ownMajor, packageOf } from "../../src/test-db/majors.js"
import { down, up } from "../../src/test-db/server.js"
import { repository } from "../support/cli.js"
import { ask, makeProject, temporaryFolder } from "./installation.js"

test("Lockstep's own PostgreSQL is the newest", async () => {
  expect(ownMajor).toBe(majors.at(-1))
  expect(await packageOf(ownMajor, "/nowhere")).toEqual(findPackage())
})

test("another one is the project's, and is told how to install where it is missing", async () => {
  const manifest: unknown = JSON.parse(await readFile(join(repository, "test/matrix/package.json"), "utf8"))
  const { dependencies } = manifest as { readonly dependencies: Readonly<Record<string, string>> }
  for (const [name, version] of Object.entries(dependencies)) {
    const major = majors.find((each) => name.endsWith(each)) ?? ownMajor
    await expect(packageOf(major, "/nowhere")).rejects.toMatchObject({
      code: "L1511",
      details: { next: expect.stringContaining(`npm install --save-dev ${name}@${version}`) },
    })
  }
})

test("up starts the major version that is asked for, and refuses to take another one for it", async () => {
  const folder = await makeProject(await temporaryFolder())
  onTestFinished(async () => {
    await down(folder)
  })
  const { url, version } = await up(folder, { postgres: "13" })
  expect(version).toMatch(/^13\./)
  expect(await ask(url, "SHOW server_version")).toBe(version)
  expect(await up(folder)).toMatchObject({ version, reused: true })
  await expect(up(folder, { postgres: "18" })).rejects.toMatchObject({
    code: "L1508",
    message: `the test database runs on PostgreSQL ${version}, not 18`,
  })
})
