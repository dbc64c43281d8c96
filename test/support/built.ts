import { statSync } from "node:fs"
import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { execa } from "execa"
import { cliPath, repository } from "./cli.js"

/** Builds dist/ where a source is newer, so that tests run what is written. */
export async function buildWhereStale(): Promise<void> {
  if (process.env.LOCKSTEP_TEST_CLI) return
  const sources = (await readdir(join(repository, "src"), { recursive: true }))
    .filter((path) => path.endsWith(".ts") && !path.startsWith("generated"))
    .map((path) => join("src", path))
  const newest = Math.max(...["build.js", "package.json", ...sources].map((path) => modified(join(repository, path))))
  if (newest > modified(cliPath)) await execa(process.execPath, ["build.js"], { cwd: repository })
}

const modified = (path: string): number => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
