import type { Finding } from "../check/finding.js"
import { inLine } from "../printable.js"
import type { AssertionResult } from "../rehearse/assertions.js"
import type {
  Rehearsal,
  RehearsalFailure,
  RehearsedMigration,
  RehearsedStatement,
  RowsWritten,
} from "../rehearse/rehearse.js"
import { duration } from "./deploy.js"
import type { Item, Report } from "./formats/report.js"

/** Whether every migration was applied and no assertion returned a row. */
export const rehearsalPassed = ({ migrations, assertions }: Rehearsal): boolean =>
  migrations.every(({ state }) => state === "applied") && assertions.every(({ rows }) => rows === 0)

/** A rehearsal for people: each statement with its time and rows, what failed and because of which rows, the assertions. */
export function renderRehearsal(rehearsal: Rehearsal): string {
  const lines = rehearsal.migrations.flatMap(({ name, state, statements }) => [
    `${name}   ${state}`,
    ...statements.flatMap(statementLines),
  ])
  return [
    `rehearsed on ${rehearsal.on}`,
    "",
    ...lines,
    ...rehearsal.assertions.flatMap(assertionLine),
    rehearsalVerdict(rehearsal),
  ]
    .map(inLine)
    .join("\n")
}

function statementLines({ line, text, durationMs, rows, failure }: RehearsedStatement): readonly string[] {
  const head = `${String(line).padStart(4)}  ${text}`
  if (failure !== undefined) return [head, ...failureLines(failure)]
  return [head, `        ${[duration(durationMs), ...rows.map(rowsText)].join("   ")}`]
}

const rowsText = ({ table, inserted, updated, deleted }: RowsWritten): string => {
  const parts = [
    [inserted, "inserted"],
    [updated, "updated"],
    [deleted, "deleted"],
  ] as const
  return `"${table}": ${parts.flatMap(([count, what]) => (count > 0 ? [`${count} ${what}`] : [])).join(", ")}`
}

function failureLines({ message, sqlstate, offenders }: RehearsalFailure): readonly string[] {
  const first = `        FAIL  ${message}${sqlstate === undefined ? "" : ` (PostgreSQL ${sqlstate})`}`
  return offenders === undefined ? [first] : [first, `        ${offendersText(offenders)}`]
}

/** Which rows made a statement fail: how many, of which table, and the keys of the first of them. */
function offendersText({ table, key, count, rows }: NonNullable<RehearsalFailure["offenders"]>): string {
  const which = key.length > 0 ? `, by ${key.join(", ")}` : ""
  const shown = rows.length > 0 ? `${which}: ${rows.join(" ")}${count > rows.length ? " ..." : ""}` : ""
  return `because of ${count} ${count === 1 ? "row" : "rows"} of ${table}${shown}`
}

function assertionLine({ file, when, rows, error }: AssertionResult): readonly string[] {
  if (rows === 0) return []
  const why = error === undefined ? `returned ${rows} ${rows === 1 ? "row" : "rows"}` : `failed: ${error}`
  return [`FAIL  ${file} ${when} the migrations: ${why}`]
}

/** The last line. */
export function rehearsalVerdict(rehearsal: Rehearsal): string {
  const { migrations, assertions } = rehearsal
  if (migrations.length === 0) return "Nothing to rehearse: every migration is applied."
  const failed = migrations.find(({ state }) => state === "failed")
  const statement = failed?.statements.at(-1)
  if (failed !== undefined) return `${failed.name} fails in line ${statement?.line}: ${statement?.failure?.message}`
  const broken = assertions.filter(({ rows }) => rows !== 0)
  if (broken.length > 0)
    return `${migrations.length} applied; ${broken.length} of ${assertions.length} assertions failed.`
  const total = migrations.flatMap(({ statements }) => statements).reduce((sum, { durationMs }) => sum + durationMs, 0)
  const held = assertions.length > 0 ? ` ${assertions.length} assertions hold.` : ""
  return `${migrations.length} applied in ${duration(total)}.${held} Apply with: \`lockstep deploy\``
}

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
