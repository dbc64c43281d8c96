import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { type CliProcess, lockstep } from "../../support/cli.js"
import { createDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"

/** A deployed project with one more migration, and somebody who has locked its history. */
async function locked() {
  const database = await createDatabase()
  const { root, migration } = createProject({ migrations: { "20260101000000_init": "CREATE TABLE account (id int);" } })
  const run = (...args: string[]) => lockstep(["deploy", ...args], { cwd: root, url: database.url })
  expect(await run()).toMatchObject({ exitCode: 0 })
  migration("20260102000000_more", "ALTER TABLE account ADD COLUMN name text;")
  const holder = new pg.Client({ connectionString: database.url, application_name: "reporting" })
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query(`BEGIN; LOCK TABLE "_prisma_migrations"`)
  return { holder, run }
}

const waits = (child: CliProcess) =>
  new Promise<void>((resolve) =>
    child.stderr.on("data", (chunk) => String(chunk).includes("waiting for a lock on the history") && resolve()),
  )

test("a deploy waits while another session has locked the history, and says who holds it", async () => {
  const { holder, run } = await locked()
  const deploy = run()
  await waits(deploy)
  await holder.query("ROLLBACK")
  const done = await deploy
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(done.stderr).toMatch(
    /^waiting for a lock on the history \(2\.\d s\); held by pid \d+ \(reporting, .*idle in transaction/m,
  )
  expect(done.stdout).toContain("1 applied")
})

test("for as long as --lock-wait says", async () => {
  const { run } = await locked()
  const { exitCode, stderr } = await run("--lock-wait", "0")
  expect(exitCode).toBe(1)
  expect(stderr).toMatch(/error\[L1014\]: timed out after 2 s waiting for a lock on "public"\."_prisma_migrations"/)
  expect(stderr).toMatch(/held by pid \d+ \(reporting/)
})

test("and a signal ends the wait", async () => {
  const { run } = await locked()
  const deploy = run()
  await waits(deploy)
  deploy.kill("SIGTERM")
  expect(await deploy).toMatchObject({ exitCode: 143 })
})
