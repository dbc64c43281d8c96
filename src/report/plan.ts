import type { Plan, PlannedMigration, Target, Work } from "../plan/planned.js"
import { inLine } from "../printable.js"
import { bytesText, rowsText } from "./amount.js"
import { type HazardName, planVerdict } from "./plan-verdict.js"

/** A line of the plan: number, statement, lock, table, rows, size, then what it costs. */
type Row = readonly [line: string, text: string, lock: string, table: string, rows: string, bytes: string, cost: string]

const gap = "  "

/** The plan for people, about `width` columns wide where the statements can be cut that far. */
export function renderPlan(plan: Plan, refused: readonly HazardName[], width: number): string {
  const sections = plan.migrations.map((migration) => ({ migration, rows: rowsOf(migration) }))
  const all = sections.flatMap(({ rows }) => rows.flatMap(({ row }) => [row]))
  const widths = columnWidths(all, width)
  const lines = sections.flatMap(({ migration, rows }) => [
    header(migration, sum(widths.slice(0, 2)) + 2 * gap.length),
    ...rows.flatMap(({ row, below }) => [
      aligned(row, widths),
      ...below.map((text) => `${" ".repeat((widths[0] ?? 0) + 2 * gap.length)}${text}`),
    ]),
    ...unparsed(migration),
  ])
  return [...lines, planVerdict(plan, refused)].join("\n")
}

function header({ name, class: kind, why, outOfOrder }: PlannedMigration, at: number): string {
  const remarks = [why && `: ${why}`, outOfOrder && ", older than an applied one"].filter(Boolean).join("")
  return inLine(`${name.padEnd(at)}${gap}${kind}${remarks}`)
}

function unparsed({ unparsed, file }: PlannedMigration): readonly string[] {
  if (unparsed === undefined) return []
  return [inLine(`${gap}not understood: ${unparsed.message}, ${file}:${unparsed.line}:${unparsed.column}`)]
}

interface Entry {
  readonly row: Row
  readonly below: readonly string[]
}

/** A table's rows and size stand where a migration first comes to it. */
function rowsOf({ statements }: PlannedMigration): readonly Entry[] {
  const told = new Set<string>()
  return statements.flatMap(({ line, text, work }): readonly Entry[] => {
    const [first, ...others] = work
    if (first === undefined) return [{ row: [String(line), text, "", "", "", "", ""], below: [] }]
    // Nobody waits for a further table that is new as well.
    const shown = [first, ...others.filter(({ target }) => target.state === "existing")]
    const safer = new Set(work.flatMap((each) => each.safer))
    return shown.map((each, index) => {
      const [rows, bytes] = each.table !== undefined && told.has(each.table) ? ["", ""] : amounts(each.target)
      if (each.table !== undefined) told.add(each.table)
      const [number, statement] = index === 0 ? [String(line), text] : ["", ""]
      return {
        row: [number, statement, each.lock, tableOf(each), rows, bytes, costOf(each)],
        below: index < shown.length - 1 ? [] : Array.from(safer, (way) => `safer: ${way}`),
      }
    })
  })
}

function tableOf({ table, lock }: Work): string {
  return table ?? (lock === "none" || lock === "unknown" ? "" : "every table concerned")
}

function amounts(target: Target): readonly [rows: string, bytes: string] {
  if (target.state === "new") return ["new", ""]
  if (target.state === "absent") return ["not there", ""]
  if (target.state === "unnamed" || target.kind === "view" || target.kind === "sequence") return ["", ""]
  return [
    target.rows === undefined ? "rows unknown" : rowsText(target.rows),
    target.bytes === undefined ? "size unknown" : bytesText(target.bytes),
  ]
}

function costOf({ costs, destroys, lock }: Work): string {
  const cost = lock === "unknown" ? ["what runs is decided when it runs"] : costs
  return [...cost, ...(destroys.length > 0 ? [`destroys data: ${destroys.join(", ")}`] : [])].join(", ")
}

const narrowest = 32
const widest = 64
const costInView = 24

/** Only the statements give way; the last column is as long as it likes. */
function columnWidths(rows: readonly Row[], width: number): readonly number[] {
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0)))
  const [, text = 0] = widths
  const others = sum(widths) - text + (widths.length + 1) * gap.length + costInView
  const cut = Math.min(text, widest, Math.max(narrowest, width - others))
  return widths.map((each, column) => (column === 1 ? cut : each))
}

function aligned(row: Row, widths: readonly number[]): string {
  const cells = row.map((cell, column) => {
    const room = widths[column] ?? 0
    if (column === 0) return cell.padStart(room)
    return column === 1 && cell.length > room ? `${cell.slice(0, room - 3)}...` : cell.padEnd(room)
  })
  return inLine(`${gap}${cells.join(gap)}`.trimEnd())
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
