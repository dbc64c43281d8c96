import type { Plan, PlannedMigration, PlannedStatement, Target, Work } from "../plan/planned.js"
import { inLine } from "../printable.js"
import { bytesText, rowsText } from "./amount.js"
import { type HazardName, planVerdict } from "./hazards.js"

/** A line about a table: name, rows, size, lock, then who waits and what it costs. */
type Row = readonly [table: string, rows: string, bytes: string, lock: string, what: string]

const gap = "   "
/** The width of a line's number. */
const numbers = 4
const indent = " ".repeat(numbers + 4)
const below = " ".repeat(numbers + 2)

/** The plan for people. Statements are cut where `width` is given, as on a terminal; names of relations never are. */
export function renderPlan(plan: Plan, refused: readonly HazardName[], width: number | undefined): string {
  if (plan.migrations.length === 0) return planVerdict(plan, refused)
  const sections = plan.migrations.map((migration) => sectionOf(migration))
  const rows = sections.flatMap(({ entries }) => entries.flatMap((entry) => entry.rows))
  const widths = [0, 1, 2, 3].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)))
  const lines = sections.flatMap(({ head, entries, foot }) => [
    head,
    ...entries.flatMap((entry) => [
      cut(`${String(entry.line).padStart(numbers)}  ${entry.text}`, width),
      ...entry.rows.map((row) => aligned(row, widths)),
      ...entry.below.map((text) => inLine(`${below}${text}`)),
    ]),
    ...foot,
  ])
  return [...basis(plan), "", ...lines, planVerdict(plan, refused)].join("\n")
}

/** Where the plan comes from, and what differs from it. */
function basis({ basis, target, replicas, drift }: Plan): readonly string[] {
  const sizes = `sizes from ${inLine(target)}`
  const origin =
    basis.basis === "observed"
      ? [`observed on PostgreSQL ${basis.version} (${basis.on}), ${sizes}`]
      : [
          `estimated from the SQL (${inLine(basis.why)}), ${sizes}`,
          ...(basis.next === undefined ? [] : [`  to have it observed: ${inLine(basis.next)}`]),
        ]
  const head = [...origin, ...(replicas.length === 0 ? [] : [inLine(`  replicated to: ${replicas.join(", ")}`)])]
  const differences =
    drift === undefined
      ? []
      : [
          ...drift.missing.map((each) => `missing: ${each}`),
          ...drift.unexpected.map((each) => `not in the history: ${each}`),
        ]
  if (differences.length === 0) return head
  const more = differences.length > mostDifferences ? [`    and ${differences.length - mostDifferences} more`] : []
  return [
    ...head,
    "  the database differs from what its history makes, so that a deploy may do something else: `lockstep diff history database`",
    ...differences.slice(0, mostDifferences).map((each) => inLine(`    ${each}`)),
    ...more,
  ]
}

const mostDifferences = 5

interface Entry {
  readonly line: number
  readonly text: string
  readonly rows: readonly Row[]
  readonly below: readonly string[]
}

interface Section {
  readonly head: string
  readonly entries: readonly Entry[]
  readonly foot: readonly string[]
}

function sectionOf(migration: PlannedMigration): Section {
  const { name, file, class: kind, why, outOfOrder, unparsed, statements } = migration
  const remarks = [why && `: ${why}`, outOfOrder && ", older than an applied one"].filter(Boolean).join("")
  const shown = new Set<string>()
  const foot =
    unparsed === undefined
      ? []
      : [inLine(`  cannot be parsed: ${unparsed.message}, ${file}:${unparsed.line}:${unparsed.column}`)]
  return { head: inLine(`${name}   ${kind}${remarks}`), entries: statements.map((one) => entryOf(one, shown)), foot }
}

/** A table's rows and size stand where a migration first comes to it. */
function entryOf({ line, text, work, refused, notices }: PlannedStatement, shown: Set<string>): Entry {
  const told = work.filter(
    ({ lock, unknown, destroys }) => lock !== "none" || unknown.length > 0 || destroys.length > 0,
  )
  // Nobody waits for a table that is new.
  const kept = told.filter(({ target, table }) => table !== undefined && target.state !== "new")
  const rows = kept.map((each): Row => {
    const isShown = each.table !== undefined && shown.has(each.table)
    if (each.table !== undefined) shown.add(each.table)
    const [count, bytes] = isShown ? ["", ""] : amounts(each.target)
    return [each.table ?? "", count, bytes, each.lock, what(each)]
  })
  const unnamed = told.filter(({ table, lock }) => table === undefined && lock !== "unknown")
  return {
    ...{ line, text },
    rows: [...rows, ...unnamed.map((each): Row => ["every table concerned", "", "", each.lock, what(each)])],
    below: [
      ...(refused === undefined ? [] : [`PostgreSQL refuses it: ${refused}`]),
      ...unique(work.flatMap(({ fails }) => fails)).map((why) => `certain to fail: ${why}`),
      ...unique(work.flatMap(({ unknown }) => unknown)).map((why) => `not known: ${why}`),
      ...unique(work.flatMap(dependents)),
      ...unique(notices).map((notice) => `reports: ${notice}`),
      ...unique(work.flatMap(({ safer }) => safer)).map((way) => `safer: ${way}`),
    ],
  }
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)]

/** What hangs on a table that loses something. */
function dependents({ table, target, destroys }: Work): readonly string[] {
  if (target.state !== "existing" || target.dependents.length === 0) return []
  const drops = destroys.some((each) => each.startsWith("table ") || each.startsWith("column "))
  return drops ? [`on ${table} depend: ${target.dependents.join(", ")}`] : []
}

function amounts(target: Target): readonly [rows: string, bytes: string] {
  if (target.state === "new") return ["new", ""]
  if (target.state === "absent") return ["does not exist", ""]
  if (target.state === "unnamed" || target.kind === "view" || target.kind === "sequence") return ["", ""]
  const parts = target.partitions > 0 ? ` in ${target.partitions} partition${target.partitions === 1 ? "" : "s"}` : ""
  return [
    target.rows === undefined ? "rows unknown" : rowsText(target.rows),
    `${target.bytes === undefined ? "size unknown" : bytesText(target.bytes)}${parts}`,
  ]
}

/** Who waits, until when, for what, and what is lost. */
function what(work: Work): string {
  const { costs, destroys, lock, held, until, waits } = work
  const end = until === "end of migration" ? "this migration ends" : "it is done"
  const wait =
    waits === "readers and writers"
      ? [`nobody reads or writes it until ${end}`]
      : waits === "writers"
        ? [`nobody writes it until ${end}`]
        : []
  const since = held === undefined ? [] : [`under ${held.lock} since line ${held.line}`]
  const cost = lock === "unknown" ? [] : [costs.join(", ")]
  const loss = destroys.length > 0 ? [`destroys data: ${destroys.join(", ")}`] : []
  return [...wait, ...since, ...cost, ...loss].filter(Boolean).join(gap)
}

function aligned(row: Row, widths: readonly number[]): string {
  const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0))
  return inLine(`${indent}${cells.join(gap)}`.trimEnd())
}

/** Where a line is cut, it is in the middle of a statement, whose beginning tells what it is. */
function cut(line: string, width: number | undefined): string {
  const text = inLine(line)
  return width !== undefined && text.length > width ? `${text.slice(0, Math.max(1, width - 3))}...` : text
}
