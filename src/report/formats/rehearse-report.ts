import type { Finding } from "../../check/finding.js"
import type { AssertionResult } from "../../rehearse/assertions.js"
import type { Rehearsal, RehearsalFailure, RehearsedMigration } from "../../rehearse/rehearse.js"
import { offendersText, rehearsalVerdict } from "../rehearse.js"
import type { Item, Report } from "./report.js"

/** The report of `lockstep rehearse`: an item a migration and an assertion; what failed has the statement and the rows' keys. */
export const rehearsalReport = (rehearsal: Rehearsal): Report => ({
  command: "rehearse",
  verdict: rehearsalVerdict(rehearsal),
  items: [...rehearsal.migrations.map(migrationItem), ...rehearsal.assertions.map(assertionItem)],
})

function migrationItem(migration: RehearsedMigration): Item {
  const { name, state, statements } = migration
  if (state === "not reached")
    return { name, state: "skipped", findings: [], accepted: [], skipped: "an earlier migration failed" }
  const durationMs = Math.round(statements.reduce((sum, one) => sum + one.durationMs, 0))
  const findings = statements.flatMap(({ line, text, failure }) =>
    failure === undefined ? [] : failureFinding(failure, { migration, line, text }),
  )
  return { name, state: findings.length > 0 ? "failed" : "passed", findings, accepted: [], durationMs }
}

interface Place {
  readonly migration: RehearsedMigration
  readonly line: number
  readonly text: string
}

function failureFinding({ message, sqlstate, offenders }: RehearsalFailure, place: Place): Finding {
  const { line, text, migration } = place
  const code = sqlstate === undefined ? "" : ` (PostgreSQL ${sqlstate})`
  return {
    check: "rehearse/fails",
    severity: "error",
    title: "a statement fails on the data",
    message: [`${message}${code}`, ...(offenders === undefined ? [] : [offendersText(offenders)]), text].join("\n"),
    ...{ file: migration.file.replaceAll("\\", "/"), line, object: offenders?.table ?? migration.name },
    fixable: false,
    docs: "docs/plan.md#with-data",
  }
}

function assertionItem({ name, file, when, rows, error }: AssertionResult): Item {
  const item = { name: `assertion ${name}, ${when}`, accepted: [] }
  if (rows === 0) return { ...item, state: "passed", findings: [] }
  const what = error === undefined ? `returned ${rows} ${rows === 1 ? "row" : "rows"}` : `failed: ${error}`
  const finding: Finding = {
    check: "rehearse/assertion",
    severity: "error",
    title: "an assertion does not hold",
    message: `${name} ${what}, ${when} the migrations.`,
    ...{ file: file.replaceAll("\\", "/"), object: name },
    fixable: false,
    docs: "docs/plan.md#with-data",
  }
  return { ...item, state: "failed", findings: [finding] }
}
