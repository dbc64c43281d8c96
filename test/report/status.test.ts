import { expect, test } from "vitest"
import { compare } from "../../src/history/compare.js"
import { ago, renderStatus } from "../../src/report/status.js"
import { migration, row } from "../history/migrations.js"

const now = Date.parse("2026-01-03T00:00:01.000Z")

test.each([
  ["2026-01-03T00:00:00.000Z", "just now"],
  ["2026-01-02T23:59:01.000Z", "1 minute ago"],
  ["2026-01-02T22:00:00.000Z", "2 hours ago"],
  ["2026-01-01T00:00:01.000Z", "2 days ago"],
  ["2027-01-01T00:00:00.000Z", "just now"],
])("%s is %s", (time, words) => {
  expect(ago(time, now)).toBe(words)
})

test("how long ago the last one was applied is told in the largest unit", () => {
  const comparison = compare([migration("a"), migration("b")], [row("a")])
  const context = { total: 2, history: "exists", existingObjects: undefined, losses: new Map(), now } as const
  expect(renderStatus(comparison, context).split("\n")[0]).toBe("   1 applied, last a, 2 days ago")
})
