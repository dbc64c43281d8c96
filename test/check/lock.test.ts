import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { findingsOf } from "../../src/check/finding.js"
import { provider } from "../../src/check/resources.js"
import { fixProblems } from "../../src/check/run.js"
import { loadProject } from "../../src/project/project.js"
import { checkObject } from "../../src/report/check-json.js"
import { asGithub } from "../../src/report/formats/github.js"
import { checkReport } from "../../src/report/formats/report.js"
import { asSarif } from "../../src/report/formats/sarif.js"
import { serverUrl } from "../support/postgres.js"
import { exampleProject } from "./project.js"

const init = `CREATE TABLE "Order" ("id" int PRIMARY KEY, "total" int, "note" varchar(10));
CREATE TABLE "Line" ("id" int PRIMARY KEY, "orderId" int);
`
const sizes = (rows: Readonly<Record<string, number>>) =>
  JSON.stringify({
    schema: "lockstep.stats/1",
    at: "2026-01-01T00:00:00.000Z",
    tables: Object.entries(rows).map(([name, rows]) => ({ schema: "public", name, rows, bytes: rows * 100 })),
  })

async function found(sql: string, statistics: string | undefined, ids = ["lock", "data/unbounded"]) {
  const base = {
    "20260101000000_init": init,
    ...(statistics === undefined ? {} : { "statistics.json": statistics }),
  }
  const project = await exampleProject({ base, branch: { "20260102000000_x": sql } }, "without a database")
  return findingsOf(await project.check({ ids }))
}

const large = sizes({ Order: 18_000_000, Line: 18_000_000 })

test.each([
  [`ALTER TABLE "Order" ALTER COLUMN "note" TYPE int USING 1;`, ["lock/rewrites"]],
  [`ALTER TABLE "Order" ALTER COLUMN "total" SET NOT NULL;`, ["lock/scans"]],
  [`ALTER TABLE "Order" ADD UNIQUE ("total");`, ["lock/blocks-readers"]],
  [`CREATE INDEX ON "Order" ("total");`, ["lock/blocks-writers"]],
  [
    `ALTER TABLE "Order" ADD COLUMN "x" int;\nUPDATE "Line" SET "orderId" = 1;`,
    ["lock/blocks-readers", "data/unbounded"],
  ],
  [`ALTER TABLE "Order" ADD COLUMN "x" int DEFAULT 0;`, []],
  [`CREATE TABLE "New" ("id" int); CREATE INDEX ON "New" ("id"); UPDATE "New" SET "id" = 1;`, []],
])("a statement has one finding, by what it makes others wait for: %s", async (sql, checks) => {
  const findings = await found(sql, large)
  expect(findings.map(({ check }) => check)).toEqual(checks)
  for (const { severity, file, line } of findings)
    expect({ severity, file: typeof file, line: typeof line }).toEqual({
      severity: "error",
      file: "string",
      line: "number",
    })
})

/** A statement after others, on a line of its file that begins with more than one byte or code unit a character. */
const later = (statement: string) => `SELECT 1;\n\n  SELECT '🐘é'; ${statement}\n`

test.each([
  ["lock/rewrites", `ALTER TABLE "Order" ALTER COLUMN "note" TYPE int USING 1;`],
  ["lock/scans", `ALTER TABLE "Order" ALTER COLUMN "total" SET NOT NULL;`],
  ["lock/blocks-readers", `ALTER TABLE "Order" ADD UNIQUE ("total");`],
  ["lock/blocks-readers", `ALTER TABLE "Order" ADD COLUMN "x" int; UPDATE "Order" SET "x" = 1;`],
  ["lock/blocks-writers", `CREATE INDEX ON "Order" ("total");`],
  ["data/unbounded", `UPDATE "Line" SET "orderId" = 1;`],
  ["data/loss", `ALTER TABLE "Order" DROP COLUMN "note";`],
  ["data/loss", `DO $$ BEGIN DELETE FROM "Order"; END $$;`],
])("a finding of %s stands where its statement begins: %s", async (id, statement) => {
  const findings = await found(later(statement), large, [id])
  expect(findings).toMatchObject([{ check: id, line: 3, column: 16 }])
})

test("the JSON, SARIF and GitHub's annotations have that place", async () => {
  const base = { "20260101000000_init": init, "statistics.json": large }
  const branch = { "20260102000000_x": later(`CREATE INDEX ON "Order" ("total");`) }
  const project = await exampleProject({ base, branch }, "without a database")
  const results = await project.check({ ids: ["lock/blocks-writers"] })
  expect(checkObject(results, [])).toMatchObject({ checks: [{ findings: [{ line: 3, column: 16 }] }] })
  const report = checkReport(results)
  expect(asSarif(report).runs[0]?.results?.[0]?.locations?.[0]?.physicalLocation).toMatchObject({
    artifactLocation: { uri: expect.stringMatching(/20260102000000_x\/migration\.sql$/) },
    region: { startLine: 3, startColumn: 16 },
  })
  expect(asGithub(report)).toMatch(/^::error file=\S*20260102000000_x\/migration\.sql,line=3,col=16,title=/)
})

test("a finding names the table with its size, and what is safer", async () => {
  const [finding] = await found(`SELECT 1;\n\nCREATE INDEX "i" ON "Order" ("total");`, large)
  expect(finding).toMatchObject({
    line: 3,
    object: '"Order"',
    message:
      'CREATE INDEX "i" ON "Order" ("total") keeps writers out of "Order" (18 M rows, 1.8 GB) while the index is built.',
    next: expect.stringContaining("CONCURRENTLY"),
  })
})

test("small tables are no finding; without a size it is a warning, with how to know it", async () => {
  const sql = `CREATE INDEX "i" ON "Order" ("total");`
  expect(await found(sql, sizes({ Order: 40 }))).toEqual([])
  expect(await found(sql, undefined)).toMatchObject([
    {
      severity: "warning",
      message: expect.stringContaining("size unknown"),
      next: expect.stringContaining("lockstep stats"),
    },
  ])
})

test("the database's own sizes count where nothing is committed", async () => {
  const base = { "20260101000000_init": init }
  const branch = { "20260102000000_x": `CREATE INDEX "i" ON "Order" ("total");` }
  const project = await exampleProject({ base, branch }, "with a database")
  project.write("package.json", '{ "lockstep": { "checks": { "lock/*": { "rows": 1000 } } } }')
  expect(await project.check({ ids: ["lock/blocks-writers"] })).toMatchObject([{ state: "passed" }])
  await project.database?.query(`INSERT INTO "Order" SELECT g FROM generate_series(1, 1000) g; ANALYZE "Order"`)
  expect(await project.check({ ids: ["lock/blocks-writers"] })).toMatchObject([
    { state: "failed", findings: [{ message: expect.stringContaining('"Order" (1.0 thousand rows') }] },
  ])
})

test.each([
  ["those of production", { "statistics.json": large }, { rows: 18_000_000, bytes: 1_800_000_000 }],
  ["unknown where nothing tells them", {}, { rows: undefined, bytes: undefined }],
])("the tables' sizes in a report are not the scratch database's: %s", async (_, files, size) => {
  const branch = { "20260102000000_x": `CREATE INDEX ON "Order" ("total");` }
  const { root } = await exampleProject(
    { base: { "20260101000000_init": init, ...files }, branch },
    "without a database",
  )
  const project = { ...(await loadProject({ root }, "everything")), environmentUrl: undefined, shadowUrl: serverUrl() }
  const { provide, close } = provider({ project, base: "main" })
  const planned = await provide("plan").finally(close)
  expect(planned).toMatchObject({ value: { plan: { migrations: [{ statements: [{ work: [{ target: size }] }] }] } } })
})

test("statistics that are none are refused", async () => {
  expect(await found("SELECT 1;", "{}", ["lock/scans"])).toMatchObject([
    { message: expect.stringContaining("statistics.json cannot be used") },
  ])
})

test("where squawk knows of the same thing there is one finding", async () => {
  const sql = `CREATE INDEX "i" ON "Order" ("total");`
  const rules = (findings: Awaited<ReturnType<typeof found>>) => findings.map(({ check, rule }) => rule ?? check)
  expect(rules(await found(sql, large, ["sql/lint"]))).toContain("require-concurrent-index-creation")
  expect(rules(await found(sql, large, ["sql/lint", "lock"]))).toEqual(["lock/blocks-writers"])
})

test("--fix writes the index CONCURRENTLY, in a migration of its own", async () => {
  const sql = `ALTER TABLE "Order" ADD COLUMN "x" int;\n-- for the search\nCREATE UNIQUE INDEX "i" ON "Order" ("total");\n`
  const base = { "20260101000000_init": init, "statistics.json": large }
  const project = await exampleProject({ base, branch: { "20260102000000_x": sql } }, "without a database")
  expect(findingsOf(await project.check({ ids: ["lock/blocks-writers"] }))).toMatchObject([{ fixable: true }])
  const request = { project: await loadProject({ root: project.root }, "everything"), base: "main" }
  const signal = new AbortController().signal
  await fixProblems({ ...request, project: { ...request.project, shadowUrl: serverUrl() }, ids: ["lock"], signal })
  expect(readFileSync(`${project.migrationsDir}/20260102000001_x_2/migration.sql`, "utf8")).toBe(
    `-- for the search\nCREATE UNIQUE INDEX CONCURRENTLY "i" ON "Order" ("total");\n`,
  )
  expect(await project.check({ ids: ["lock", "history"] })).not.toContainEqual(
    expect.objectContaining({ state: "failed" }),
  )
})
