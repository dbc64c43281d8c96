import { createColors } from "picocolors"
import { expect, test } from "vitest"
import type { Result } from "../../src/check/finding.js"
import { renderChecks } from "../../src/report/check.js"

const style = { paint: createColors(false), width: 60 }
const skipped = (check: string, reason: string): Result => ({ check, title: check, state: "skipped", reason })

test("what is skipped for the same reason is printed once, where the first of it stands", () => {
  const results = [
    skipped("schema/drift", "no scratch server"),
    skipped("sql/lint", "squawk is not installed"),
    skipped("lock/scans", "no scratch server"),
    skipped("lock/rewrites", "no scratch server"),
    skipped("undo/round-trip", "no scratch server"),
  ]
  expect(renderChecks(results, style).split("\n")).toEqual([
    "  skip  schema/drift, lock/scans, lock/rewrites,",
    "        undo/round-trip",
    "          no scratch server",
    "  skip  sql/lint         squawk is not installed",
    "0 passed, 5 skipped.",
  ])
})
