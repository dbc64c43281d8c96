import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { expect, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

test("with nothing pending, deploy and status load neither the SQL parser nor the schema engine", async () => {
  const { url } = await createDatabase()
  const { root } = createProject({ migrations: { "20260101000000_init": "CREATE TABLE t (id int);" } })
  const without = { NODE_OPTIONS: "--import=data:text/javascript,delete%20globalThis.WebAssembly" }
  const here = { cwd: root, url }
  expect((await lockstep(["deploy"], { ...here, env: without })).exitCode).not.toBe(0)
  expect((await lockstep(["deploy"], here)).exitCode).toBe(0)
  for (const verb of ["deploy", "status"]) {
    const done = await lockstep([verb], { ...here, env: without })
    expect(done, done.all).toMatchObject({ exitCode: 0 })
  }
})

test("the program and the first commands are four files, and none of them applies migrations", () => {
  const names = [...loadedWith("dist/cli.js")].map((file) => /([a-z-]+?)(?:-[\w-]{8})?\.js$/.exec(file)?.[1])
  expect(names.toSorted()).toEqual(["cli", "config", "rolldown-runtime", "start"])
})

/** A file of the bundle and what it imports before its first line runs. */
function loadedWith(file: string, files = new Set<string>()): ReadonlySet<string> {
  if (files.has(file)) return files
  files.add(file)
  for (const [, path = ""] of readFileSync(file, "utf8").matchAll(/(?:\bfrom|\bimport) ?[`"](\.[^`"]+)[`"]/g))
    loadedWith(join(dirname(file), path), files)
  return files
}
