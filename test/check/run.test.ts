import { expect, test } from "vitest"
import { findingsOf } from "../../src/check/finding.js"
import { exampleProject } from "./project.js"

const init = { "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n' }
const mixed = (comment: string) => `SELECT 1;\n${comment}\nCREATE INDEX CONCURRENTLY i ON "Order" ("id");\n`
const checks = (section: object) => JSON.stringify({ name: "shop", lockstep: { checks: section } })
const branch = (sql: string) =>
  exampleProject({ base: init, branch: { "20260102000000_x": sql } }, "without a database")

test("without a base and a database, checks that need one are skipped, and say what they need", async () => {
  const project = await branch("SELECT 1;")
  const results = await project.check({ ids: ["history/edited", "history/lock-file"], base: undefined })
  expect(results).toMatchObject([
    {
      check: "history/edited",
      state: "skipped",
      reason: "no base: name one with --base REF; no database: set DATABASE_URL",
    },
    { check: "history/lock-file", state: "passed" },
  ])
})

test("a base that does not exist fails what needs it", async () => {
  const project = await branch("SELECT 1;")
  expect(findingsOf(await project.check({ ids: ["history/name"], base: "origin/nope" }))).toMatchObject([
    { message: "the base origin/nope cannot be read: git knows no commit origin/nope", fixable: false },
  ])
})

test("an unknown check is wrong usage", async () => {
  const project = await branch("SELECT 1;")
  await expect(project.check({ ids: ["history/rain"] })).rejects.toMatchObject({ code: "L1901" })
})

test("package.json sets levels, a family's or a check's own; a check that is named runs although it is off", async () => {
  const project = await branch("")
  project.write("package.json", checks({ "history/*": "off", "history/empty": "warning" }))
  expect(await project.check({})).not.toContainEqual(expect.objectContaining({ check: "history/order" }))
  expect(await project.check({ ids: ["history/empty"] })).toMatchObject([
    { state: "warned", findings: [{ severity: "warning" }] },
  ])
  expect(await project.check({ ids: ["history/order"] })).toMatchObject([{ state: "passed" }])
})

test.each([
  [{ "history/rain": "off" }, "there is no check history/rain"],
  [{ "history/name": "loud" }, "history/name"],
  [{ "history/name": { known: { x: "" } } }, "needs a reason"],
])("settings that mean nothing are refused: %j", async (section, hint) => {
  const project = await branch("SELECT 1;")
  project.write("package.json", checks(section))
  await expect(project.check({})).rejects.toMatchObject({
    code: "L1902",
    details: { hint: expect.stringContaining(hint) },
  })
})

test("an exception with a reason accepts the finding of its statement", async () => {
  const project = await branch(mixed("-- lockstep-ignore history/mixed: the table has 40 rows"))
  expect(await project.check({ ids: ["history/mixed"] })).toMatchObject([
    { state: "passed", accepted: [{ reason: "the table has 40 rows", finding: { line: 3 } }] },
  ])
})

test.each([
  ["-- lockstep-ignore history/mixed", "has no effect without a reason"],
  ["-- lockstep-ignore history/empty: another check", "without a transaction"],
])("an exception without a reason, or of another check, accepts nothing: %s", async (comment, message) => {
  const project = await branch(mixed(comment))
  expect(findingsOf(await project.check({ ids: ["history/mixed"] }))).toMatchObject([
    { message: expect.stringContaining(message) },
  ])
})

test("an exception is for the statement after it, or in whose lines it stands, and for no other", async () => {
  const comment = "-- lockstep-ignore history/mixed: fine"
  const before = await branch(`${comment}\nSELECT 1;\nCREATE INDEX CONCURRENTLY i ON "Order" ("id");\n`)
  expect(await before.check({ ids: ["history/mixed"] })).toMatchObject([{ state: "failed" }])
  const after = await branch(`SELECT 1;\nCREATE INDEX CONCURRENTLY i\n  ON "Order" ("id"); ${comment}\n`)
  expect(await after.check({ ids: ["history/mixed"] })).toMatchObject([{ state: "passed" }])
})

test("without a schema its check is skipped, and a reason that two needs share is said once", async () => {
  const project = await branch("SELECT 1;")
  const results = await project.check({ ids: ["schema/uncommitted", "lock/blocks-writers"], base: undefined })
  expect(results).toMatchObject([
    { check: "schema/uncommitted", state: "skipped", reason: "the project has no Prisma schema" },
    {
      check: "lock/blocks-writers",
      state: "skipped",
      reason: expect.stringMatching(/^nothing tells (?!.*nothing tells)/),
    },
  ])
})

test("a migration that cannot be replayed is reported once, by a check for which it is an error", async () => {
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n\nmodel Order {\n  id Int @id\n}\n'
  const project = await exampleProject(
    {
      base: { ...init, "schema.prisma": schema },
      branch: { "20260102000000_x": 'ALTER TABLE "Nope" ADD COLUMN n int;' },
    },
    "with a database",
  )
  const results = await project.check({ ids: ["undo", "schema/uncommitted", "lock"], base: "main" })
  const findings = findingsOf(results)
  expect(findings.map(({ check, severity }) => [check, severity])).toContainEqual(["schema/uncommitted", "error"])
  expect(findings.filter(({ message }) => message.includes("cannot be replayed"))).toHaveLength(1)
  expect(results.find(({ check }) => check === "undo/round-trip")).toMatchObject({
    state: "skipped",
    reason: expect.stringMatching(/cannot be replayed .* \(see schema\/uncommitted\)$/),
  })
})

test("an extension that the scratch server lacks is no fault of the branch: what needs that server is skipped", async () => {
  const schema = 'datasource db {\n  provider = "postgresql"\n}\n\nmodel Order {\n  id Int @id\n}\n'
  const project = await exampleProject(
    {
      base: { ...init, "20260101000001_vector": "CREATE EXTENSION vector;", "schema.prisma": schema },
      branch: { "20260102000000_x": 'ALTER TABLE "Order" ADD COLUMN n int;' },
    },
    "without a database",
  )
  const results = await project.check({ ids: ["schema/uncommitted", "lock/rewrites"], base: "main" })
  const reason = expect.stringContaining('the scratch server lacks the extension "vector": name a server that has it')
  expect(results).toMatchObject([
    { check: "schema/uncommitted", state: "skipped", reason },
    { check: "lock/rewrites", state: "skipped", reason },
  ])
})
