import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { init, openShop, orders } from "../../support/shop.js"

test("one format takes the text's place on stdout", async () => {
  const { run } = await openShop()
  const { stdout, exitCode } = await run("status", "--format", "gitlab")
  expect(exitCode).toBe(1)
  expect(JSON.parse(stdout)).toMatchObject([
    { check_name: "status/pending", location: { path: `prisma/migrations/${init}/migration.sql` } },
    { check_name: "status/pending", location: { path: `prisma/migrations/${orders}/migration.sql` } },
  ])
})

test("several formats are files in a folder, beside the text; without one they have no place", async () => {
  const { run, project } = await openShop()
  expect(await run("status", "--format", "sarif,junit")).toMatchObject({ exitCode: 2, stdout: "" })
  const { stdout } = await run(
    "check",
    "history",
    "--format",
    "text,json,junit,sarif,markdown,github,gitlab,html",
    "--output",
    "reports",
  )
  const folder = join(project.root, "reports")
  expect(stdout).toContain("passed")
  expect(readdirSync(folder).toSorted()).toEqual(
    ["github.txt", "gitlab.json", "html", "json", "junit.xml", "md", "sarif", "txt"].map((ending) => `check.${ending}`),
  )
  expect(JSON.parse(readFileSync(join(folder, "check.json"), "utf8"))).toMatchObject({ schema: "lockstep.check/1" })
  expect(readFileSync(join(folder, "check.txt"), "utf8").trimEnd()).toMatch(/passed.*\.$/)
})

test("a deploy that fails is reported with its place, and exits as without a report", async () => {
  const { run, project } = await openShop()
  project.migration("20260105000000_wrong", "SELECT 1;\nSELECT nothing;\n")
  const { exitCode, stderr } = await run("deploy", "--format", "junit,gitlab", "--output", "reports")
  expect(exitCode).toBe(1)
  expect(stderr).toContain("error[L1012]")
  const issues = JSON.parse(readFileSync(join(project.root, "reports/deploy.gitlab.json"), "utf8"))
  expect(issues).toMatchObject([
    {
      check_name: "L1012",
      location: { path: "prisma/migrations/20260105000000_wrong/migration.sql", lines: { begin: 2 } },
    },
  ])
  const junit = readFileSync(join(project.root, "reports/deploy.junit.xml"), "utf8")
  expect(junit).toContain('tests="3" failures="1"')
})

test("a report that cannot be written is an error, after the work", async () => {
  const { run, project } = await openShop()
  writeFileSync(join(project.root, "taken"), "")
  const { exitCode, stderr } = await run("deploy", "--format", "junit", "--output", "taken/report.xml")
  expect(exitCode).toBe(1)
  expect(stderr).toContain("error[L1307]")
  expect(await run("status")).toMatchObject({ exitCode: 0 })
})
