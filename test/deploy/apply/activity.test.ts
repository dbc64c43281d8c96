import { spawnSync } from "node:child_process"
import { execa } from "execa"
import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { cliPath, environment, lockstep } from "../../support/cli.js"
import { createDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"
import { until } from "../../support/until.js"

const init = { "20260101000000_init": "CREATE TABLE account (id int);\nINSERT INTO account VALUES (1);" }

// util-linux's; BSD's and busybox's take other words.
const canMakeTerminal = spawnSync("script", ["-qec", "true", "/dev/null"]).status === 0

test.skipIf(!canMakeTerminal)(
  "on a terminal one line is rewritten while a statement runs, and makes room for the outcome",
  async () => {
    const database = await createDatabase()
    const { root } = createProject({ migrations: { ...init, "20260102000000_long": "SELECT pg_sleep(2.5);" } })
    const command = [process.execPath, cliPath, "deploy"].map((word) => `'${word}'`).join(" ")
    const done = await execa("script", ["-qec", command, "/dev/null"], {
      cwd: root,
      env: environment({ DATABASE_URL: database.url }),
      extendEnv: false,
      stdin: "ignore",
    })
    expect(done.stdout).toMatch(/\r\u001B\[K {2}\.\. {2}20260102000000_long {2}\d\.\d s {2}running/)
    expect(done.stdout).toContain("\r\u001B[K  \u001B[32mok\u001B[39m  20260101000000_init")
  },
)

test("--json shows what a concurrent index build waits for, in PostgreSQL's words", async () => {
  const database = await createDatabase()
  await lockstep(["deploy"], { cwd: createProject({ migrations: init }).root, url: database.url })
  const writer = new pg.Client({ connectionString: database.url })
  await writer.connect()
  onTestFinished(() => writer.end())
  await writer.query("BEGIN; UPDATE account SET id = 2")
  const { root } = createProject({
    migrations: { ...init, "20260102000000_index": "CREATE INDEX CONCURRENTLY account_id ON account (id);" },
  })
  const deploy = lockstep(["deploy", "--json"], { cwd: root, url: database.url })
  let seen = ""
  deploy.stdout.on("data", (chunk) => {
    seen += chunk
  })
  await until("the build's progress", () =>
    seen.includes("CREATE INDEX CONCURRENTLY: waiting for writers before build"),
  )
  await writer.query("COMMIT")
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0 })
})
