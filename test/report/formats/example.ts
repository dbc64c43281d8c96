import type { Finding } from "../../../src/check/finding.js"
import type { Report } from "../../../src/report/formats/report.js"

/** A finding with all that it may have, whose texts mean something to every format. */
export const hostile: Finding = {
  check: "lock/scans",
  severity: "error",
  title: 'a title, with: commas & "quotes"',
  message: '100 % of <b>"Order"</b> ]]> is read by @map\nsecond line ::error::, \u001b[31m\u0000 | *a* `code_x`',
  file: "prisma/migrations/20260101000000_a b/migration.sql",
  line: 3,
  column: 2,
  endLine: 4,
  endColumn: 9,
  object: '"Order"',
  next: "`lockstep status`",
  fixable: false,
  docs: "docs/checks.md#lockscans",
}

export const slight: Finding = {
  check: "history/name",
  severity: "warning",
  title: "a name",
  message: "x is a bad name.",
  object: "x",
  fixable: true,
  docs: "docs/checks.md#historyname",
}

/** An item in each state. */
export const report: Report = {
  command: "check",
  verdict: "1 failed, 1 warned, 1 passed, 1 skipped.",
  items: [
    { name: "history/order", state: "passed", findings: [], accepted: [], durationMs: 12 },
    {
      name: "lock/scans",
      state: "failed",
      findings: [hostile],
      accepted: [{ reason: "40 rows", finding: slight }],
      durationMs: 1500,
    },
    { name: "history/name", state: "warned", findings: [slight], accepted: [], durationMs: 3 },
    { name: "schema/drift", state: "skipped", findings: [], accepted: [], skipped: "no database: set DATABASE_URL" },
  ],
}
