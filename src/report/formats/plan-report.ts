import type { Finding } from "../../check/finding.js"
import type { Plan, PlannedMigration, PlannedStatement } from "../../plan/planned.js"
import { type HazardName, hazardsOf, planVerdict } from "../hazards.js"
import type { Item, Report } from "./report.js"

/**
 * The report of `lockstep plan`: an item a migration, a finding a hazard. What fails in a deploy, or is named by
 * --fail-on, is an error; every other hazard a warning.
 */
export const planReport = (plan: Plan, refused: readonly HazardName[]): Report => ({
  command: "plan",
  verdict: planVerdict(plan, refused),
  items: plan.migrations.map((migration): Item => {
    const findings = findingsIn(migration, new Set(refused))
    const worst = findings.some(({ severity }) => severity === "error") ? "failed" : "warned"
    return { name: migration.name, state: findings.length === 0 ? "passed" : worst, findings, accepted: [] }
  }),
})

function findingsIn({ name, file, statements, unparsed }: PlannedMigration, refused: ReadonlySet<string>) {
  const found: readonly Finding[] = statements.flatMap((statement) =>
    problemsOf(statement).map(({ hazard, text, object, safer }) => ({
      check: `plan/${hazard}`,
      severity: hazard === "fails" || refused.has(hazard) ? "error" : "warning",
      title: titles[hazard],
      message: `${text}\n${statement.text}`,
      file,
      line: statement.line,
      column: statement.column,
      object: object ?? name,
      ...(safer.length === 0 ? {} : { next: `safer: ${safer.join("; ")}` }),
      fixable: false,
      docs: "docs/lock-rules.md",
    })),
  )
  if (unparsed === undefined) return found
  const { line, column, message } = unparsed
  const problem: Finding = {
    check: "plan/unparsed",
    severity: "error",
    title: "the file cannot be parsed",
    message,
    ...{ file, line, column, object: name },
    fixable: false,
    docs: "docs/commands.md#lockstep-plan",
  }
  return [problem, ...found]
}

interface Problem {
  readonly hazard: HazardName
  readonly text: string
  readonly object: string | undefined
  readonly safer: readonly string[]
}

function problemsOf({ work, refused }: PlannedStatement): readonly Problem[] {
  const own = work.flatMap((each) =>
    hazardsOf(each).map(({ name: hazard, text }) => ({ hazard, text, object: each.table, safer: each.safer })),
  )
  if (refused === undefined) return own
  return [{ hazard: "fails", text: `PostgreSQL refuses it: ${refused}`, object: undefined, safer: [] }, ...own]
}

const titles: Readonly<Record<HazardName, string>> = {
  fails: "a statement fails",
  destroys: "data is destroyed",
  rewrites: "a table is rewritten",
  scans: "all of a table is read under its lock",
  writes: "every row of a table is written",
  unknown: "what a statement does is not known",
}
