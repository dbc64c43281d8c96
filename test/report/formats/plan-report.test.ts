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
