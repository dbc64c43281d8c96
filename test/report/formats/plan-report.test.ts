import { expect, test } from "vitest"
import { openShop } from "../../support/shop.js"

test("a plan's hazards are findings: what fails is an error, and what --fail-on names", async () => {
  const { run, project } = await openShop()
  await run("deploy")
  project.migration("20260110000000_drop", 'SELECT 1;\nDROP TABLE "Order";\n')
  project.migration("20260111000000_note", "SELECT 2;\n")
  const findings = async (...args: string[]) => {
    const { stdout, exitCode } = await run("plan", "--estimate", "--format", "gitlab", ...args)
    return { exitCode, found: JSON.parse(stdout) }
  }
  const file = "prisma/migrations/20260110000000_drop/migration.sql"
  const dropped = { check_name: "plan/destroys", location: { path: file, lines: { begin: 2 } } }
  expect(await findings()).toMatchObject({ exitCode: 0, found: [{ ...dropped, severity: "minor" }] })
  expect(await findings("--fail-on", "destroys")).toMatchObject({
    exitCode: 1,
    found: [{ ...dropped, severity: "major" }],
  })
})

test("a plan's page has what was observed, and the schema before and after", async () => {
  const { run, project } = await openShop()
  await run("deploy")
  const name = "20260110000000_wider"
  project.migration(
    name,
    'ALTER TABLE "User" ADD COLUMN "age" INTEGER;\nCREATE TABLE "Note" ("id" INTEGER PRIMARY KEY);\n',
  )
  const { stdout, exitCode } = await run("plan", "--format", "html")
  expect(exitCode).toBe(0)
  const text = stdout.replaceAll(/<[^>]*>/g, "")
  expect(text).toContain("Observed on PostgreSQL")
  expect(text).toContain("3 migrations: 1 pending, 2 applied.")
  expect(text).toMatch(/&quot;User&quot;.*\n.*\n?Readers and writers wait from line 1 to the end of the migration/)
  expect(text).toContain("1 table is added, 1 table is changed.")
  expect(stdout).toMatch(/<g class="table chg".*User.*age.*int\?/)
  expect(stdout).toMatch(/<g class="table add".*Note/)
  expect(stdout).not.toContain("lockstep_observe")
})
