import { expect, test } from "vitest"
import { findingsOf } from "../../src/check/finding.js"
import { exampleProject } from "./project.js"

const init = { "20260101000000_init": 'CREATE TABLE "Ördér" ("id" int PRIMARY KEY, "y" int, "z" int);\n' }
const branch = (sql: string) =>
  exampleProject({ base: init, branch: { "20260102000000_x": sql } }, "without a database")
const rulesIn = async (project: Awaited<ReturnType<typeof branch>>) =>
  findingsOf(await project.check({ ids: ["sql/lint"] })).map(({ rule }) => rule)

test("its findings have the file, and lines and columns as an editor counts them", async () => {
  const project = await branch('SELECT 1;\nALTER TABLE "Ördér" DROP COLUMN "y", ADD COLUMN "code" char(4);\n')
  const findings = findingsOf(await project.check({ ids: ["sql/lint"] }))
  expect(findings).toContainEqual(
    expect.objectContaining({ rule: "ban-drop-column", line: 2, column: 21, endLine: 2, endColumn: 35 }),
  )
  expect(findings[0]?.file).toMatch(/prisma\/migrations\/20260102000000_x\/migration\.sql$/)
})

test("what Prisma writes is accepted unless the project has a .squawk.toml, which then decides alone", async () => {
  const project = await branch('ALTER TABLE "Ördér" ADD COLUMN "at" TIMESTAMP(3), ADD COLUMN "code" char(4);\n')
  expect(await rulesIn(project)).toEqual(["ban-char-field"])
  project.write(".squawk.toml", 'excluded_rules = ["ban-char-field"]\n')
  const own = await rulesIn(project)
  expect(own).toContain("prefer-timestamp-tz")
  expect(own).not.toContain("ban-char-field")
})

test("where squawk is not installed the check is skipped, with how to install it", async () => {
  const project = await branch("SELECT 1;")
  project.remove("node_modules")
  expect(await project.check({ ids: ["sql/lint"] })).toMatchObject([
    { state: "skipped", reason: "squawk is not installed: `npm install --save-dev squawk-cli`" },
  ])
})

test("a .squawk.toml that squawk refuses is reported in its words", async () => {
  const project = await branch("SELECT 1;")
  project.write(".squawk.toml", 'excluded_rules = ["rain"]\n')
  expect(findingsOf(await project.check({ ids: ["sql/lint"] }))).toMatchObject([
    { message: expect.stringMatching(/^squawk failed\n[\s\S]*rain/) },
  ])
})
