import {
  type Plan,
  type PlannedMigration,
  type PlannedStatement,
  type Target,
  type Work,
  waitsFor,
} from "../../../plan/planned.js"
import { bytesText, rowsText } from "../../amount.js"
import type { Fact, Picture, ShownLock, ShownMigration, ShownStatement } from "../picture.js"
import { historyEntries, historyFacts } from "./history.js"

/** What a plan's page shows: what was observed, on the migrations' own lines. */
export function planPicture(plan: Plan): Picture {
  const history = historyEntries(plan.history)
  return {
    subject: plan.target,
    basis: basisOf(plan),
    remarks: remarksOf(plan),
    facts: [
      ...historyFacts(history).filter(({ label }) => label !== "Applied"),
      ...planFacts(plan.migrations),
      ...(plan.replicas.length > 0
        ? [{ label: "Replicated to", value: listed(plan.replicas, ""), tone: "info" as const }]
        : []),
    ],
    history,
    migrations: plannedMigrations(plan),
    backfills: [],
    schema: plan.schema,
  }
}

/** The pending migrations with their SQL and what their statements do. */
export function plannedMigrations({
  migrations,
  history,
}: Pick<Plan, "migrations" | "history">): readonly ShownMigration[] {
  const texts = new Map(history.flatMap((one) => (one.state === "pending" ? [[one.name, one.migration.text]] : [])))
  return migrations.map((migration) => shown(migration, texts.get(migration.name) ?? ""))
}

function basisOf({ basis, target }: Plan): string {
  const sizes = `Sizes are those of ${target}.`
  if (basis.basis === "observed")
    return `Observed on PostgreSQL ${basis.version} (${basis.on}): the pending migrations ran there on a scratch database. ${sizes}`
  const next = basis.next === undefined ? "" : ` To have it observed: ${basis.next}.`
  return `Estimated from the SQL (${basis.why}). ${sizes}${next}`
}

const mostDifferences = 8

function remarksOf({ drift }: Plan): readonly string[] {
  const differences = [
    ...(drift?.missing ?? []).map((each) => `missing: ${each}`),
    ...(drift?.unexpected ?? []).map((each) => `not in the history: ${each}`),
  ]
  if (differences.length === 0) return []
  const more = differences.length > mostDifferences ? [`and ${differences.length - mostDifferences} more`] : []
  const head = "The database differs from what its history makes, so that a deploy may do something else:"
  return [head, ...differences.slice(0, mostDifferences), ...more]
}

/** Whom the plan keeps waiting at which tables, and what it destroys. */
export function planFacts(migrations: readonly PlannedMigration[]): readonly Fact[] {
  const work = migrations.flatMap(({ statements }) => statements.flatMap((one) => one.work))
  const tables = (waits: Work["waits"]) => [
    ...new Set(work.flatMap((one) => (one.waits === waits && isThere(one.target) ? (one.table ?? []) : []))),
  ]
  const blocked = tables("readers and writers")
  const held = tables("writers").filter((one) => !blocked.includes(one))
  // By which foreign key is said at the statement.
  const lost = [
    ...new Set(work.flatMap(({ destroys }) => destroys.map((one) => one.replace(/ \(ON DELETE .*\)$/, "")))),
  ]
  const unknown = work.filter((one) => one.lock === "unknown" || one.unknown.length > 0).length
  return [
    {
      label: "Readers and writers wait at",
      value: listed(blocked, "no table"),
      tone: blocked.length > 0 ? "bad" : "good",
    },
    {
      label: "Writers wait at",
      value: listed(held, blocked.length > 0 ? "no other table" : "no table"),
      tone: held.length > 0 ? "warn" : "good",
    },
    { label: "Data destroyed", value: listed(lost, "none"), tone: lost.length > 0 ? "bad" : "good" },
    ...(unknown > 0
      ? [{ label: "Not known", value: `${unknown} ${unknown === 1 ? "effect" : "effects"}`, tone: "warn" as const }]
      : []),
  ]
}

const isThere = (target: Target): boolean => target.state === "existing"

/** Two names, and how many more. */
function listed(names: readonly string[], none: string): string {
  if (names.length === 0) return none
  return names.length <= 3 ? names.join(", ") : `${names.slice(0, 2).join(", ")} and ${names.length - 2} more`
}

const classes: Readonly<Record<PlannedMigration["class"], string>> = {
  transactional: "in one transaction",
  "non-transactional": "outside a transaction",
  "self-managed": "in its own transactions",
}

function shown(
  { name, file, class: kind, why, outOfOrder, statements }: PlannedMigration,
  sql: string,
): ShownMigration {
  const traits = [
    `${classes[kind]}${why === undefined ? "" : `: ${why}`}`,
    ...(outOfOrder ? ["older than an applied one"] : []),
  ]
  const path = file.replaceAll("\\", "/")
  return {
    name,
    file: path,
    sql,
    state: "pending",
    traits,
    statements: statements.map(shownStatement),
    scale: "estimated",
  }
}

const quick: ReadonlySet<string> = new Set<Work["costs"][number]>([
  "instant",
  "waits for older transactions",
  "unknown",
])

function shownStatement({ line, work }: PlannedStatement): ShownStatement {
  const locks = work.flatMap((one): readonly ShownLock[] => {
    const { table, target, until, costs, held } = one
    if (table === undefined || !isThere(target) || one.lock === "none") return []
    // Others wait for the strongest lock that the transaction holds.
    const { lock, waits } = held === undefined ? one : { lock: held.lock, waits: waitsFor(held.lock) }
    return [{ table, size: sizeOf(target), lock, waits, until, work: costs.filter((cost) => !quick.has(cost)) }]
  })
  return { line, width: Math.max(1, ...work.map(widthOf)), time: undefined, rows: [], locks }
}

/** An instant is 1; what reads or writes a table takes more with each factor of ten in its size. */
function widthOf({ costs, target }: Work): number {
  if (target.state !== "existing" || costs.every((cost) => quick.has(cost))) return 1
  return 2 + Math.log10(Math.max(10, (target.bytes ?? 0) / 8192))
}

/** Rows and bytes of a table in words. */
export function sizeOf(target: Target): string | undefined {
  if (target.state !== "existing") return undefined
  const parts = [
    ...(target.rows === undefined ? [] : [rowsText(target.rows)]),
    ...(target.bytes === undefined ? [] : [bytesText(target.bytes)]),
    ...(target.partitions > 0 ? [`${target.partitions} partitions`] : []),
  ]
  return parts.length > 0 ? parts.join(", ") : undefined
}
