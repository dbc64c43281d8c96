import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { afterAll, expect, test } from "vitest"
import { repository } from "../support/cli.js"
import { call, dagger } from "./dagger.js"
import { gitServer } from "./git-server.js"
import { createOtherProject, lockedPrisma } from "./other-project.js"
import { engineReaches } from "./reach.js"

const address = "http://127.0.0.1/lockstep.git"
const folder = mkdtempSync(join(tmpdir(), "lockstep-git-"))
const server = gitServer(folder)

// The engine drops the port of a module's address.
const served = await new Promise<boolean>((resolve) => {
  server.once("error", () => resolve(false))
  server.listen(80, "127.0.0.1", () => resolve(true))
})
if (!served) console.log("skipped: port 80 is not available for the installation from a repository")

afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

/** Commits the repository with the module as it is in the working tree; returns the commit. */
async function commit(): Promise<string> {
  const cwd = join(folder, "lockstep.git")
  await execa("git", ["clone", "--quiet", repository, cwd])
  // A pipeline's checkout is on no branch, and its clone would not be either: that is no repository to install from.
  await execa("git", ["checkout", "--quiet", "-B", "main"], { cwd })
  rmSync(join(cwd, "dagger"), { recursive: true })
  for (const path of ["dagger", "dagger.json"]) cpSync(join(repository, path), join(cwd, path), { recursive: true })
  const author = ["-c", "user.name=lockstep", "-c", "user.email=lockstep@example.com"]
  await execa("git", [...author, "commit", "--quiet", "--all", "--allow-empty", "--message=Try"], { cwd })
  return (await execa("git", ["rev-parse", "HEAD"], { cwd })).stdout
}

test.runIf(served)("the module and the runner are installed from a repository, at its commit", async () => {
  const pin = await commit()
  if (!(await engineReaches(`${address}/info/refs?service=git-upload-pack`))) return
  const project = await createOtherProject()
  try {
    const spec = `git+${address}#HEAD`
    const devDependencies = { prisma: "^7.10.0", "prisma-lockstep": spec }
    project.write("package.json", JSON.stringify({ name: "shop", version: "1.2.3", private: true, devDependencies }))
    const packages = {
      "node_modules/prisma": { version: lockedPrisma },
      "node_modules/prisma-lockstep": { version: "0.1.0", resolved: `git+${address}#${pin}` },
    }
    project.write("package-lock.json", JSON.stringify({ name: "shop", lockfileVersion: 3, packages }))
    for (const path of ["toolchains", "vendor"]) project.remove(path)

    const here = { cwd: project.root }
    await dagger(["init", "--name=shop"], here)
    expect(await dagger(["toolchain", "install", `${address}@${pin}`], here)).toMatchObject({ exitCode: 0 })
    const { toolchains } = JSON.parse(readFileSync(join(project.root, "dagger.json"), "utf8"))
    expect(toolchains).toEqual([{ name: "lockstep", source: `${address}@${pin}`, pin }])
    expect(await call(["lockstep", "replay"], here)).toContain("1 applied in")
  } finally {
    project.drop()
  }
})
