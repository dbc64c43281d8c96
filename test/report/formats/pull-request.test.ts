import { join } from "node:path"
import { expect, test } from "vitest"
import { asGithub } from "../../../src/report/formats/github.js"
import { asGitlab } from "../../../src/report/formats/gitlab.js"
import { asMarkdown } from "../../../src/report/formats/markdown.js"
import { prefixInRepository, withRepositoryPaths } from "../../../src/report/formats/prepared.js"
import { createProject } from "../../support/project.js"
import { hostile, report } from "./example.js"

test("github: a workflow command a finding, on one line, with nothing in it that ends it or its parts", () => {
  const [first = "", second, last, ...more] = asGithub(report).split("\n")
  expect(first).toBe(
    '::error file=prisma/migrations/20260101000000_a b/migration.sql,line=3,endLine=4,title=lock/scans%3A a title%2C with%3A commas & "quotes"::' +
      '100 %25 of <b>"Order"</b> ]]> is read by @map%0Asecond line ::error::, \u001b[31m\u0000 | *a* `code_x`%0A`lockstep status`',
  )
  expect(second).toBe("::warning title=history/name%3A a name::x is a bad name.")
  expect(last).toBe("lockstep check: 1 failed, 1 warned, 1 passed, 1 skipped.")
  expect(more).toEqual([])
})

test("github: columns are those of one line", () => {
  const findings = [{ ...hostile, endLine: 3 }]
  const text = asGithub({ ...report, items: [{ name: "x", state: "failed", findings, accepted: [] }] })
  expect(text).toContain("line=3,endLine=3,col=2,endColumn=9,title=")
})

test("gitlab: the same in two lines is two issues", () => {
  const findings = [hostile, { ...hostile, line: 9 }, { ...hostile, line: 12 }]
  const issues = asGitlab({ ...report, items: [{ name: "x", state: "failed", findings, accepted: [] }] })
  expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(3)
})

test("paths are those from the repository's root, wherever in it the command runs", () => {
  const { root, write } = createProject({ files: { ".git/HEAD": "" } })
  write("packages/db/package.json", "{}")
  const prefix = prefixInRepository(join(root, "packages/db"))
  expect(prefix).toBe("packages/db")
  expect(prefixInRepository(root)).toBe("")
  const issues = asGitlab(withRepositoryPaths(report, prefix))
  expect(issues.map(({ location }) => location.path)).toEqual([
    `packages/db/${hostile.file}`,
    "packages/db/package.json",
  ])
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

test.each([
  ["very many passed", { name: "lock/scans", state: "passed" as const, findings: [], accepted: [] }],
  [
    "messages that are long, with characters that are written as escapes",
    {
      name: "x",
      state: "failed" as const,
      findings: [{ ...hostile, message: "\u0001*".repeat(50_000) }],
      accepted: [],
    },
  ],
  [
    "skipped for a long reason",
    { name: "x", state: "skipped" as const, findings: [], accepted: [], skipped: "@<".repeat(9000) },
  ],
])("markdown fits into a comment, and what failed is shown: %s", (_, item) => {
  const failed = { name: "lock/scans", state: "failed" as const, findings: [hostile], accepted: [] }
  const text = asMarkdown({ ...report, verdict: "no ".repeat(30_000), items: [failed, ...Array(3000).fill(item)] })
  expect(text.length).toBeLessThanOrEqual(60_000)
  expect(text).toContain("**failed** `lock/scans`")
  expect(text).not.toContain("\u0001")
})
