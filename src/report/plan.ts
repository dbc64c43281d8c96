import type { Plan, PlannedMigration, Target, Work } from "../plan/planned.js"
import { inLine } from "../printable.js"

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
  return [inLine(`${gap}cannot be parsed: ${unparsed.message}, ${file}:${unparsed.line}:${unparsed.column}`)]
}

interface Entry {
  readonly row: Row
  readonly below: readonly string[]
}

/** A table's rows and size stand where a migration first comes to it. */
function rowsOf({ statements }: PlannedMigration): readonly Entry[] {
  const shownTables = new Set<string>()
  return statements.flatMap(({ line, text, work }): readonly Entry[] => {
    const [first, ...others] = work
    if (first === undefined) return [{ row: [String(line), text, "", "", "", "", ""], below: [] }]
    // Nobody waits for a further table that is new as well.
    const shown = [first, ...others.filter(({ target }) => target.state === "existing")]
    const safer = new Set(work.flatMap((each) => each.safer))
    return shown.map((each, index) => {
      const [rows, bytes] = each.table !== undefined && shownTables.has(each.table) ? ["", ""] : amounts(each.target)
      if (each.table !== undefined) shownTables.add(each.table)
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
  if (target.state === "absent") return ["does not exist", ""]
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

/** The values of `--fail-on`. */
export const hazardNames = ["destroys", "rewrites", "scans", "writes", "unknown"] as const
export type HazardName = (typeof hazardNames)[number]

interface Hazard {
  readonly name: HazardName
  readonly is: (work: Work) => boolean
  /** Of one migration, of several. */
  readonly verb: readonly [one: string, several: string]
  readonly what: string
}

const underLock: ReadonlySet<string> = new Set<Work["costs"][number]>([
  "full scan under the lock",
  "builds an index under the lock",
  "runs its query",
])

const hazards: readonly Hazard[] = [
  { name: "destroys", is: ({ destroys }) => destroys.length > 0, verb: ["destroys", "destroy"], what: "data" },
  { name: "rewrites", is: ({ rewrites }) => rewrites === true, verb: ["rewrites", "rewrite"], what: "a table" },
  {
    name: "rewrites",
    is: ({ rewrites, lock }) => rewrites === "depends" && lock !== "unknown",
    verb: ["may rewrite", "may rewrite"],
    what: "a table",
  },
  {
    name: "scans",
    is: ({ costs }) => costs.some((cost) => underLock.has(cost)),
    verb: ["reads", "read"],
    what: "all of a table under its lock",
  },
  {
    name: "writes",
    is: ({ costs }) => costs.includes("writes every row"),
    verb: ["writes", "write"],
    what: "every row of a table",
  },
  {
    name: "unknown",
    is: ({ lock }) => lock === "unknown",
    verb: ["runs", "run"],
    what: "code that a plan cannot look into",
  },
]

/** Whether a deploy would apply all of it, as far as a plan can know. */
export function canBeApplied({ failed, existingObjects, migrations }: Plan): boolean {
  return (
    failed.length === 0 && existingObjects === undefined && migrations.every(({ unparsed }) => unparsed === undefined)
  )
}

/** Those of the named hazards that the plan holds. */
export function hazardsIn({ migrations }: Plan, names: readonly HazardName[]): readonly HazardName[] {
  const work = migrations.flatMap(({ statements }) => statements.flatMap(({ work }) => work))
  return names.filter((name) => hazards.some((hazard) => hazard.name === name && work.some(hazard.is)))
}

/** The last line: how many, what is dangerous about them, and the next command. */
export function planVerdict(plan: Plan, refused: readonly HazardName[]): string {
  const { migrations, total, failed, existingObjects } = plan
  const pending = `${migrations.length} pending migration${migrations.length === 1 ? "" : "s"}`
  if (failed.length > 0) {
    return `${pending}, but the failed ${inLine(failed.join(", "))} stops every deploy: \`lockstep resolve --help\``
  }
  if (existingObjects !== undefined) {
    return `${pending}, but the database has no history and holds ${inLine(existingObjects)}: \`lockstep baseline\``
  }
  if (migrations.length === 0) return `Nothing to apply: ${total} of ${total} migrations applied.`
  const dangers = hazards.flatMap((hazard) => danger(hazard, migrations) ?? [])
  const summary =
    dangers.length > 0 ? dangers.join(", ") : "no data is destroyed, no table read or rewritten under a lock"
  const strange = migrations.filter(({ unparsed }) => unparsed !== undefined).length
  if (strange > 0)
    return `${pending}: ${strange} cannot be parsed by PostgreSQL 18's parser. Correct the SQL, then run plan again.`
  if (refused.length > 0) return `${pending}: ${summary}. Refused by --fail-on ${refused.join(",")}.`
  return `${pending}: ${summary}. Apply with: \`lockstep deploy\``
}

function danger({ is, verb, what }: Hazard, migrations: readonly PlannedMigration[]): string | undefined {
  const dangerous = migrations.map(({ statements }) => statements.flatMap(({ work }) => work.filter(is)))
  const count = dangerous.filter((works) => works.length > 0).length
  if (count === 0) return undefined
  const sizes = dangerous.flat().flatMap(({ target }) => (target.state === "existing" ? (target.bytes ?? []) : []))
  const largest = Math.max(0, ...sizes)
  const of = what.includes("table") && largest > 0 ? ` of ${sizes.length > 1 ? "up to " : ""}${bytesText(largest)}` : ""
  return `${count} ${count === 1 ? verb[0] : verb[1]} ${what.replace("a table", `a table${of}`)}`
}

/** Rows as people read them: 12 rows, 34 k rows, 2.1 M rows. */
export function rowsText(rows: number): string {
  if (rows === 1) return "1 row"
  return `${scaled(rows, 1000, ["", " k", " M", " G"])} rows`
}

/** Bytes as PostgreSQL's pg_size_pretty names them: 16 kB, 610 MB, 4.2 GB. */
export function bytesText(bytes: number): string {
  return scaled(bytes, 1024, [" B", " kB", " MB", " GB", " TB"])
}

/** One decimal below ten, so that 1.4 does not look like 1. */
function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value
  let power = 0
  while (Math.round(rest) >= step && power < units.length - 1) {
    rest /= step
    power++
  }
  const digits = power > 0 && rest < 9.95 ? rest.toFixed(1).replace(/\.0$/, "") : String(Math.round(rest))
  return `${digits}${units[power] ?? ""}`
}
