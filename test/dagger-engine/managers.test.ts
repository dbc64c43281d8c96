import { readFileSync } from "node:fs"
import { join } from "node:path"
import { execa } from "execa"
import { expect, test } from "vitest"
import { call } from "./dagger.js"
import { createOtherProject } from "./other-project.js"

const module = ["-m", "./toolchains/lockstep", "--source=."]

/** Each package manager, its version, and how it writes its lockfile. npm is every other test's. */
const managers = [
  ["pnpm@10.34.9", ["pnpm@10.34.9", "install", "--lockfile-only", "--ignore-scripts"]],
  ["yarn@1.22.22", ["yarn@1.22.22", "install", "--ignore-scripts", "--ignore-engines", "--silent"]],
  ["yarn@4.10.3", ["@yarnpkg/cli-dist@4.10.3", "install", "--mode=update-lockfile"]],
  ["bun@1.3.0", ["bun@1.3.0", "install", "--lockfile-only", "--ignore-scripts"]],
] as const

test.each(managers)("a project of %s: its lockfile's versions, its own frozen install", async (pinned, words) => {
  const project = await createOtherProject()
  try {
    project.remove("package-lock.json")
    const manifest = JSON.parse(readFileSync(join(project.root, "package.json"), "utf8"))
    project.write("package.json", JSON.stringify({ ...manifest, packageManager: pinned }))
    // Yarn 1 takes an earlier tarball of the same version from its cache.
    const env = { YARN_ENABLE_IMMUTABLE_INSTALLS: "false", YARN_CACHE_FOLDER: join(project.root, ".cache") }
    await execa("npx", ["--yes", ...words], { cwd: project.root, env })
    // The history is applied by the toolbox, the client generated in the project's install.
    expect(await call([...module, "client"], { cwd: project.root })).toContain("rows of 1 created")
  } finally {
    project.drop()
  }
})
