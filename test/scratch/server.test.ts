import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { lockstep } from "../support/cli.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { until } from "../support/until.js"

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test("the server of a command that is killed is stopped, and its folder removed", async () => {
  const database = await createDatabase()
  const project = createProject({ migrations: { "1_slow": "SELECT pg_sleep(600)" }, files: { "tmp/.keep": "" } })
  const tmp = join(project.root, "tmp")
  const folders = () => readdirSync(tmp).filter((name) => name.startsWith("lockstep-scratch-"))
  const running = lockstep(["plan"], { cwd: project.root, url: database.url, env: { TMPDIR: tmp } })
  const pid = await until("the scratch server", () => {
    const [folder = "none"] = folders().map((name) => join(tmp, name, ".lockstep"))
    const state = existsSync(folder) && readdirSync(folder).find((name) => /^test-db.*\.json$/.test(name))
    return state ? Number(JSON.parse(readFileSync(join(folder, state), "utf8")).pid) : undefined
  })
  expect(isAlive(pid)).toBe(true)
  running.kill("SIGKILL")
  expect((await running).signal).toBe("SIGKILL")
  await until("its end", async () => (isAlive(pid) || folders().length > 0 ? undefined : true))
})
