import type { Effect } from "../sql/effects.js"
import type { Work } from "./planned.js"

/** What the rules advise, as far as it is needed and possible for this relation. */
export function safeForms(work: Work, named: readonly Effect[]): readonly string[] {
  const isCheap = work.costs.every((cost) => cost === "instant")
  if (isCheap && work.destroys.length === 0) return []
  const isPartitioned = work.target.state === "existing" && work.target.kind === "partitioned table"
  const advice = named.flatMap(({ rule, safer }) => {
    if (safer === undefined) return []
    if (!isPartitioned || !safer.includes("CONCURRENTLY")) return [safer]
    // Source: PostgreSQL's documentation, CREATE INDEX: "Concurrent builds for indexes on partitioned tables are currently not supported".
    return rule === "create-index" ? [onPartitions] : []
  })
  return [...new Set(advice)]
}

const onPartitions =
  "CREATE INDEX ... ON ONLY the partitioned table, then CREATE INDEX CONCURRENTLY on each partition, alone in its own migration, and ALTER INDEX ... ATTACH PARTITION"

/** A table that an earlier statement of the transaction keeps others out of, and its line. */
export interface LockedTable {
  /** As SQL, quoted. */
  readonly table: string
  readonly line: number
}

/** Advice for a statement that takes long while an earlier one of its transaction keeps others out of a table. */
export function moveOut(line: number, works: readonly Work[], locked: readonly LockedTable[]): string | undefined {
  const long = works.filter(({ target, costs }) => target.state === "existing" && costs.some(takesLong))
  // A table that the statement itself keeps others out of gains nothing.
  const gaining = locked.filter(({ table }) => !long.some((work) => work.table === table && work.waits !== "nobody"))
  const first = gaining.find(({ table }) => long.some((work) => work.table === table)) ?? gaining[0]
  if (long.length === 0 || first === undefined) return undefined
  const isData = long.every(({ writes }) => writes.length > 0)
  const where = isData ? "a backfill, in batches (`lockstep backfill`)" : "a migration of its own"
  return `move line ${line} to ${where}: ${first.table} stays locked by line ${first.line} while it runs`
}

const takesLong = (cost: string): boolean => cost !== "instant" && cost !== "writes rows"
