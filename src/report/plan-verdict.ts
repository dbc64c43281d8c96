import type { Plan, PlannedMigration, Work } from "../plan/planned.js"
import { inLine } from "../printable.js"
import { bytesText } from "./amount.js"

/** What `--fail-on` can name. */
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

/** Whether a deploy would apply all of it, as far as a plan can tell. */
export function canBeApplied({ failed, strangers, migrations }: Plan): boolean {
  return failed.length === 0 && strangers === undefined && migrations.every(({ unparsed }) => unparsed === undefined)
}

/** Those of the named hazards that the plan holds. */
export function hazardsIn({ migrations }: Plan, names: readonly HazardName[]): readonly HazardName[] {
  const work = migrations.flatMap(({ statements }) => statements.flatMap(({ work }) => work))
  return names.filter((name) => hazards.some((hazard) => hazard.name === name && work.some(hazard.is)))
}

/** The last line: how many, what is dangerous about them, and the next command. */
export function planVerdict(plan: Plan, refused: readonly HazardName[]): string {
  const { migrations, total, failed, strangers } = plan
  const pending = `${migrations.length} pending migration${migrations.length === 1 ? "" : "s"}`
  if (failed.length > 0) {
    return `${pending}, but the failed ${inLine(failed.join(", "))} stops every deploy: lockstep resolve --help`
  }
  if (strangers !== undefined) {
    return `${pending}, but the database has no history and holds ${inLine(strangers)}: lockstep baseline`
  }
  if (migrations.length === 0) return `Nothing to apply: ${total} of ${total} migrations applied.`
  const dangers = hazards.flatMap((hazard) => danger(hazard, migrations) ?? [])
  const said = dangers.length > 0 ? dangers.join(", ") : "no data is destroyed, no table read or rewritten under a lock"
  const strange = migrations.filter(({ unparsed }) => unparsed !== undefined).length
  if (strange > 0)
    return `${pending}: ${strange} not understood by PostgreSQL 18's parser. Correct the SQL, then plan again.`
  if (refused.length > 0) return `${pending}: ${said}. Refused by --fail-on ${refused.join(",")}.`
  return `${pending}: ${said}. Apply with: pnpm db:deploy`
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
