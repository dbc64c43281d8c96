import { cp, mkdtemp, realpath, rm, symlink } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { expect, onTestFinished, test } from "vitest"
import { repository } from "../support/cli.js"

/** What `make` needs of this repository, built and installed already. */
const parts = [
  "Makefile",
  "package.json",
  "pnpm-lock.yaml",
  "prisma.config.ts",
  "build.js",
  "prisma",
  "src",
  "dist",
  "dagger/test-db",
]

async function copyOfRepository(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "lockstep-make-")))
  for (const part of parts)
    await cp(join(repository, part), join(folder, part), { recursive: true, preserveTimestamps: true })
  await rm(join(folder, "src/generated"), { recursive: true, force: true })
  await symlink(join(repository, "node_modules"), join(folder, "node_modules"))
  return folder
}

test("make test-db, status and clean: the strategy's first commands, on the embedded PostgreSQL", async () => {
  const folder = await copyOfRepository()
  const make = (target: string) =>
    execa("make", ["backend=embedded", "--old-file=node_modules/.modules.yaml", "--old-file=dist/cli.js", target], {
      cwd: folder,
      // As from a shell, also where the tests themselves run under make.
      env: { LOCKSTEP_BACKEND: "", DATABASE_URL: "", MAKEFLAGS: undefined, MAKELEVEL: undefined },
      reject: false,
      all: true,
    })
  onTestFinished(async () => {
    await make("clean")
    await rm(folder, { recursive: true })
  })
  const up = await make("test-db")
  expect(up, up.all).toMatchObject({ exitCode: 0 })
  expect(up.stderr).toMatch(
    /^PostgreSQL 18\.\d+, embedded \(no container engine answers; LOCKSTEP_BACKEND=dagger insists on one\)\n {2}postgresql:\/\//,
  )
  expect(up.stderr).toContain("Verified: 12 of 12 recorded, checksums match.")
  expect(up.stdout).toContain("stop it:  make clean")
  const status = await make("status")
  expect(status, status.all).toMatchObject({ exitCode: 0, stdout: "Up to date: 12 of 12 migrations applied." })
  expect(await make("clean")).toMatchObject({ exitCode: 0 })
  const after = await execa(process.execPath, ["dist/cli.js", "test-db", "url"], { cwd: folder, reject: false })
  expect(after).toMatchObject({ exitCode: 1 })
  expect(after.stderr).toContain("error[L1510]")
})
