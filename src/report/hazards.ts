import type { Plan, PlannedMigration, PlannedStatement, Work } from "../plan/planned.js"
import { inLine } from "../printable.js"
import { bytesText, rowsText } from "./amount.js"

/** The values of `--fail-on`. */
export const hazardNames = ["fails", "destroys", "rewrites", "scans", "writes", "unknown"] as const
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
  { name: "fails", is: ({ fails }) => fails.length > 0, verb: ["fails", "fail"], what: "on the present rows" },
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
    is: ({ lock, unknown }) => lock === "unknown" || unknown.length > 0,
    verb: ["does", "do"],
    what: "what a plan cannot know",
  },
]

const refusals = (migrations: readonly PlannedMigration[]): readonly PlannedMigration[] =>
  migrations.filter(({ statements }) => statements.some(({ refused }) => refused !== undefined))

/** Whether a deploy would apply all of it, as far as a plan can know. */
export function canBeApplied({ failed, existingObjects, migrations, drift }: Plan): boolean {
  // What differs from the history may be just what the statement needs.
  const isDrifted = drift !== undefined && drift.missing.length + drift.unexpected.length > 0
  return (
    failed.length === 0 &&
    existingObjects === undefined &&
    migrations.every(({ unparsed }) => unparsed === undefined) &&
    (isDrifted || refusals(migrations).length === 0)
  )
}

/** Those of the named hazards that the plan holds. */
export function hazardsIn({ migrations }: Plan, names: readonly HazardName[]): readonly HazardName[] {
  const work = migrations.flatMap(({ statements }) => statements.flatMap(({ work }) => work))
  return names.filter(
    (name) =>
      hazards.some((hazard) => hazard.name === name && work.some(hazard.is)) ||
      (name === "fails" && refusals(migrations).length > 0),
  )
}

/** A hazard of a statement's work, in a sentence. */
export interface NamedHazard {
  readonly name: HazardName
  readonly text: string
}

/** What is dangerous about a statement's work on one relation. */
export function hazardsOf(work: Work): readonly NamedHazard[] {
  const { table, fails, destroys, unknown } = work
  const about = (what: string) => (table === undefined ? what : `${table}: ${what}`)
  return hazards
    .filter((hazard) => hazard.is(work))
    .map(({ name, verb: [verb], what }) => {
      const named = { fails, destroys, unknown, rewrites: [], scans: [], writes: [] }[name].join(", ")
      if (named === "") return { name, text: about(`${verb} ${what}`) }
      return { name, text: name === "fails" ? named : about(`${name === "unknown" ? "not known:" : verb} ${named}`) }
    })
}

/** The last line: how many, what is dangerous about them, the worst statement by name, and the next command. */
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
  const count = refusals(migrations).length
  if (count > 0) dangers.unshift(`${count} ${count === 1 ? "is" : "are"} refused by PostgreSQL`)
  const harmless =
    plan.basis.basis === "observed" ? "no data is destroyed, no table read or rewritten under a lock" : none
  const summary = dangers.length > 0 ? dangers.join(", ") : harmless
  const strange = migrations.filter(({ unparsed }) => unparsed !== undefined).length
  if (strange > 0)
    return `${pending}: ${strange} cannot be parsed by PostgreSQL 18's parser. Correct the SQL, then run plan again.`
  const worst = worstOf(migrations)
  const named = worst === undefined ? "" : ` Worst: ${inLine(worst.text)}.`
  const after = refused.length > 0 ? `Refused by --fail-on ${refused.join(",")}.` : "Apply with: `lockstep deploy`"
  return `${pending}: ${summary}.${named} ${count > 0 && refused.length === 0 ? "Correct the SQL, then run plan again." : after}`
}

/** An estimate does not call harmless what it has not seen. */
const none = "the rules find no data destroyed, no table read or rewritten under a lock"

function danger({ is, verb, what }: Hazard, migrations: readonly PlannedMigration[]): string | undefined {
  const dangerous = migrations.map(({ statements }) => statements.flatMap(({ work }) => work.filter(is)))
  const count = dangerous.filter((works) => works.length > 0).length
  if (count === 0) return undefined
  const sizes = dangerous.flat().flatMap(({ target }) => (target.state === "existing" ? (target.bytes ?? []) : []))
  const largest = Math.max(0, ...sizes)
  const of =
    what.includes("a table") && largest > 0 ? ` of ${sizes.length > 1 ? "up to " : ""}${bytesText(largest)}` : ""
  return `${count} ${count === 1 ? verb[0] : verb[1]} ${what.replace("a table", `a table${of}`)}`
}

/** What a statement does, to be compared: the weightier, then the one of more rows, is worse. */
export interface Candidate {
  readonly weight: number
  readonly rows: number
  readonly text: string
}

/** The worst statement: migration, line, and in a sentence what it does to which table. */
export function worstOf(migrations: readonly PlannedMigration[]): Candidate | undefined {
  const candidates = migrations.flatMap(({ name, statements }) =>
    statements.flatMap((statement) =>
      [...candidatesOf(statement, statements)].map((each) => ({
        ...each,
        text: `${name}, line ${statement.line}: ${each.text}`,
      })),
    ),
  )
  return candidates.sort(byWeight)[0]
}

/** The worst first. */
export const byWeight = (one: Candidate, other: Candidate): number => other.weight - one.weight || other.rows - one.rows

/** From how many rows on a lock is worse than a loss that was written on purpose. */
const manyRows = 100_000

function* candidatesOf(statement: PlannedStatement, all: readonly PlannedStatement[]): Generator<Candidate> {
  const { refused, work } = statement
  if (refused !== undefined) yield { weight: 10, rows: 0, text: `PostgreSQL refuses it: ${refused}` }
  for (const each of work) {
    const { table, target, fails, destroys, unknown, waits } = each
    const rows = target.state === "existing" ? (target.rows ?? 0) : 0
    const [broken] = fails
    if (broken !== undefined) yield { weight: 9, rows, text: broken }
    const kept = blockedMeanwhile(each, statement, all)
    if (kept !== undefined) yield { ...kept, weight: (kept.rows >= manyRows ? 8 : 4) + (kept.weight > 0 ? 0 : -1) }
    if (destroys.length > 0) yield { weight: 6, rows, text: `destroys ${destroys.join(", ")}` }
    if (unknown.length > 0) yield { weight: 2, rows, text: `not known: ${unknown.join(", ")}` }
    if (kept === undefined && table !== undefined && waits !== "nobody" && waits !== "unknown" && rows > 0)
      yield { weight: 1, rows, text: `${table} ${cannotBe(waits)} for an instant, and until its transaction ends` }
  }
}

const cannotBe = (waits: Work["waits"]): string =>
  waits === "writers" ? "cannot be written" : "can be neither read nor written"

/** Who is kept out, of which table, while a statement takes long: by its own lock, or by one from before. */
function blockedMeanwhile(
  work: Work,
  statement: PlannedStatement,
  all: readonly PlannedStatement[],
): Candidate | undefined {
  const { target, costs, table, waits } = work
  const long = costs.filter(
    (cost) => cost !== "instant" && cost !== "waits for older transactions" && cost !== "unknown",
  )
  if (target.state !== "existing" || long.length === 0 || table === undefined) return undefined
  const rows = target.rows ?? 0
  const what = during(long[0] ?? "", rows, target.rows === undefined)
  const isLocked = waits === "readers and writers" || waits === "writers"
  if (isLocked) return { weight: waits === "writers" ? 0 : 1, rows, text: `${table} ${cannotBe(waits)} while ${what}` }
  const before = all
    .filter(({ line }) => line < statement.line)
    .flatMap((each) => each.work.map((one) => ({ ...one, line: each.line })))
    .filter((one) => one.until === "end of migration" && one.target.state === "existing")
  const holder =
    before.find((one) => one.waits === "readers and writers") ?? before.find((one) => one.waits === "writers")
  if (holder?.table === undefined) return undefined
  const text = `${holder.table} ${cannotBe(holder.waits)} while ${what}`
  return { weight: holder.waits === "writers" ? 0 : 1, rows, text }
}

function during(cost: string, rows: number, isUnknown: boolean): string {
  const amount = isUnknown ? "its rows" : rowsText(rows)
  const be = rows === 1 && !isUnknown ? "is" : "are"
  if (cost.startsWith("rewrites") || cost.startsWith("may rewrite")) return `${amount} ${be} written anew`
  if (cost.startsWith("builds")) return `an index over ${amount} is built`
  if (cost.startsWith("writes"))
    return cost === "writes every row" ? `${amount} ${be} updated` : `some of ${amount} ${be} written`
  return cost === "runs its query" ? "its query runs" : `${amount} ${be} read`
}
