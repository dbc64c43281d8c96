import { expect, test } from "vitest"
import { asGithub } from "../../../src/report/formats/github.js"
import { asGitlab } from "../../../src/report/formats/gitlab.js"
import { asMarkdown } from "../../../src/report/formats/markdown.js"
import { hostile, report } from "./example.js"

test("github: a workflow command a finding, on one line, with nothing in it that ends it or its parts", () => {
  const [first = "", second, last, ...more] = asGithub(report).split("\n")
  expect(first).toBe(
    '::error file=prisma/migrations/20260101000000_a b/migration.sql,line=3,endLine=4,col=2,endColumn=9,title=lock/scans%3A a title%2C with%3A commas & "quotes"::' +
      '100 %25 of <b>"Order"</b> ]]> is read by @map%0Asecond line ::error::, \u001b[31m\u0000 | *a* `code_x`%0A`lockstep status`',
  )
  expect(second).toBe("::warning title=history/name%3A a name::x is a bad name.")
  expect(last).toBe("lockstep check: 1 failed, 1 warned, 1 passed, 1 skipped.")
  expect(more).toEqual([])
})

test("gitlab: each finding has a file, a line and a fingerprint of its own", () => {
  const issues = asGitlab(report)
  expect(issues.map(({ location, severity }) => ({ location, severity }))).toEqual([
    { severity: "major", location: { path: hostile.file, lines: { begin: 3 } } },
    { severity: "minor", location: { path: "package.json", lines: { begin: 1 } } },
  ])
  expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(2)
})

test("markdown: what failed is open, the rest collapsed; texts are text and mention nobody", () => {
  const text = asMarkdown(report)
  expect(text).toContain("### lockstep check: 1 failed, 1 warned, 1 passed, 1 skipped.\n")
  expect(text).toContain('> 100 % of &lt;b&gt;"Order"&lt;/b&gt; \\]\\]&gt; is read by &#64;map\n> second line')
  expect(text).toContain("\\*a\\* `code_x`")
  const collapsed = text.slice(text.indexOf("<details>"))
  expect(collapsed).toContain("passed `history/order`, 12 ms")
  expect(collapsed).toContain("skipped `schema/drift`: no database: set DATABASE\\_URL")
  expect(collapsed).toContain("accepted `lock/scans` at x: 40 rows")
})

test("markdown fits into a comment, and counts what does not", () => {
  const findings = Array.from({ length: 2000 }, (_, index) => ({ ...hostile, object: `"T${index}"` }))
  const items = [{ name: "lock/scans", state: "failed" as const, findings, accepted: [] }]
  const text = asMarkdown({ ...report, items })
  expect(text.length).toBeLessThanOrEqual(60_000)
  const shown = text.split("**failed**").length - 1
  expect(shown).toBeGreaterThan(100)
  expect(text).toContain(`_${2000 - shown} more findings are not shown here._`)
})
