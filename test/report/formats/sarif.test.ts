import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import Ajv from "ajv-draft-04"
import { expect, test } from "vitest"
import { asSarif } from "../../../src/report/formats/sarif.js"
import { hostile, report } from "./example.js"

const schema = createRequire(import.meta.url).resolve("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json")
const validate = new Ajv.default({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(
  JSON.parse(readFileSync(schema, "utf8")),
)

test("it is valid by SARIF's published schema", () => {
  expect(validate(JSON.parse(JSON.stringify(asSarif(report)))), JSON.stringify(validate.errors)).toBe(true)
  expect(validate({ ...asSarif(report), version: "3" })).toBe(false)
})

test("a result has the finding's rule, level and place; its last column is the one after it", () => {
  const [run] = asSarif(report).runs
  expect(run?.results?.[0]).toMatchObject({
    ruleId: "lock/scans",
    level: "error",
    message: { text: `${hostile.message}\n${hostile.next}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: "prisma/migrations/20260101000000_a%20b/migration.sql" },
          region: { startLine: 3, startColumn: 2, endLine: 4, endColumn: 10 },
        },
        logicalLocations: [{ fullyQualifiedName: '"Order"' }],
      },
    ],
  })
  expect(run?.tool.driver.rules?.map(({ id }) => id)).toEqual(["lock/scans", "history/name"])
})

test("what an exception accepts is suppressed, with the reason", () => {
  const results = asSarif(report).runs[0]?.results ?? []
  expect(results.map(({ suppressions }) => suppressions?.[0]?.justification)).toEqual([undefined, undefined, "40 rows"])
})

test("a finding that moves in its file stays the same finding; another one is another", () => {
  const prints = [hostile, { ...hostile, line: 90 }, { ...hostile, object: '"User"' }].map((finding) => {
    const items = [{ name: "lock/scans", state: "failed" as const, findings: [finding], accepted: [] }]
    return asSarif({ ...report, items }).runs[0]?.results?.[0]?.partialFingerprints?.["lockstep/v1"]
  })
  expect(prints[0]).toBe(prints[1])
  expect(prints[0]).not.toBe(prints[2])
})
