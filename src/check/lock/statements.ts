import type { PlannedMigration, PlannedStatement, Work } from "../../plan/planned.js"
import type { Example, Problem } from "../check.js"
import type { ChangesPlan } from "../plan.js"
import type { Options } from "../settings.js"
import { isLarge, tableText } from "../sizes.js"

/** A table as the base has it. */
export const base = {
  "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY, "total" int, "legacy" text);\n',
}

/** The committed statistics, in which the table has so many rows of 100 bytes. */
export const orders = (rows: number): Readonly<Record<string, string>> => ({
  "statistics.json": `${JSON.stringify({
    schema: "lockstep.stats/1",
    at: "2026-01-01T00:00:00.000Z",
    tables: [{ schema: "public", name: "Order", rows, bytes: rows * 100 }],
  })}\n`,
})

/** A branch with one migration. */
export const example = (base: Example["base"], sql: string): Example => ({
  base,
  branch: { "20260102000000_change": sql },
})

/** What a statement does to an existing table that may be large. */
interface Touched {
  readonly migration: PlannedMigration
  readonly statement: PlannedStatement
  readonly work: Work & { readonly table: string }
  /** `"Order" (18 M rows, 4.2 GB)`. */
  readonly text: string
  readonly size: "large" | "unknown"
}

/** The work on existing tables that are large, or of which nothing tells the size. */
export function touched({ migrations, sizes }: ChangesPlan, options: Options): readonly Touched[] {
  return migrations.flatMap((migration) =>
    migration.statements.flatMap((statement) =>
      statement.work.flatMap((work): readonly Touched[] => {
        const { table, target } = work
        if (table === undefined || target.state !== "existing") return []
        if (target.kind === "view" || target.kind === "sequence" || target.kind === "foreign table") return []
        const size = sizes.of(table)
        const large = isLarge(size, options)
        if (large === "small") return []
        return [{ migration, statement, work: { ...work, table }, text: tableText(table, size), size: large }]
      }),
    ),
  )
}

/** A problem at a statement; a warning at most where nothing tells how large the table is. */
export function problemAt({ migration, statement, work, size }: Touched, message: string): Problem {
  const unknown = size === "unknown" ? unknownSize : []
  const advice = [...work.safer, ...unknown]
  return {
    message,
    file: migration.file,
    line: statement.line,
    column: statement.column,
    object: work.table,
    next: advice.length > 0 ? advice.join("\n") : undefined,
    atMost: size === "unknown" ? "warning" : undefined,
  }
}

const unknownSize = [
  "to tell small tables from large ones, commit the sizes of production: `lockstep stats` > prisma/statistics.json",
]

/** The beginning of a statement, as a sentence's subject. */
export function inShort({ text }: PlannedStatement): string {
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

/** Who waits for a lock. Source: PostgreSQL's documentation, table "Conflicting Lock Modes". */
export function waitsFor(lock: Work["lock"]): "readers" | "writers" | "nobody" {
  if (lock === "ACCESS EXCLUSIVE") return "readers"
  return lock === "EXCLUSIVE" || lock === "SHARE ROW EXCLUSIVE" || lock === "SHARE" ? "writers" : "nobody"
}

const long: ReadonlySet<string> = new Set([
  "full scan under the lock",
  "full scan, reads and writes continue",
  "rewrites the table",
  "may rewrite the table",
  "builds an index under the lock",
  "builds an index, reads and writes continue",
  "writes every row",
  "writes the matching rows",
  "runs its query",
])

/** Whether work takes the longer the larger its table is. */
const takesLong = ({ work }: Touched): boolean => work.costs.some((cost) => long.has(cost))

/**
 * The statements whose lock on a large table outlives them: a later statement of the same transaction takes long, and
 * until it has ended whoever waits for the lock goes on waiting. Each with that statement.
 */
export function heldWhile(
  all: readonly Touched[],
  waiting: "readers" | "writers",
): readonly (readonly [Touched, Touched])[] {
  const found: (readonly [Touched, Touched])[] = []
  for (const [index, one] of all.entries()) {
    if (one.migration.class !== "transactional" || waitsFor(one.work.lock) !== waiting || takesLong(one)) continue
    const later = all
      .slice(index + 1)
      .find((other) => other.migration === one.migration && other.statement !== one.statement && takesLong(other))
    const known = found.some(([other]) => other.work.table === one.work.table && other.migration === one.migration)
    if (later !== undefined && !known) found.push([one, later])
  }
  return found
}
