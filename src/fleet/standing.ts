import type { Comparison } from "../history/compare.js"
import { byName } from "../history/folder.js"

/** Where one database stands beside the folder. Names are in the folder's order. */
export interface Standing {
  /** The newest migration of the folder that is applied; null where none is. */
  readonly newest: string | null
  readonly pending: readonly string[]
  readonly failed: readonly string[]
  readonly edited: readonly string[]
  /** Recorded, and not in the folder. */
  readonly missing: readonly string[]
  /** Migrations that replace others, of which some are applied and some not: a deploy refuses them. */
  readonly partly: readonly string[]
  /** An older folder before a newer database. */
  readonly ahead: boolean
  /** How the schema differs from what the applied migrations make, a line an object; undefined where it was not looked at. */
  readonly drift: readonly string[] | undefined
}

/** In a word, the worst first. */
export const standingStates = ["failed", "drifted", "edited", "behind", "ahead", "different", "up to date"] as const
export type StandingState = (typeof standingStates)[number]

/** Where a database stands by its history. */
export function standingOf(comparison: Comparison, drift: readonly string[] | undefined): Standing {
  const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)
  const applied = names(comparison.applied).toSorted(byName)
  return {
    newest: applied.at(-1) ?? null,
    pending: names(comparison.pending),
    failed: names(comparison.failed),
    edited: names(comparison.edited),
    missing: names(comparison.missing),
    partly: comparison.inBetween.map(({ migration }) => migration.name),
    ahead: comparison.ahead,
    drift,
  }
}

/** All that is so of a database. */
export function statesOf({
  failed,
  drift = [],
  edited,
  pending,
  missing,
  partly,
  ahead,
}: Standing): readonly StandingState[] {
  const states: readonly (StandingState | false)[] = [
    failed.length > 0 && "failed",
    drift.length > 0 && "drifted",
    edited.length > 0 && "edited",
    pending.length > 0 && "behind",
    missing.length > 0 && ahead && "ahead",
    ((missing.length > 0 && !ahead) || partly.length > 0) && "different",
  ]
  const found = states.filter((state) => state !== false)
  return found.length === 0 ? ["up to date"] : found
}

/** Databases at the same migration, with as many pending. */
export interface Level {
  readonly newest: string | null
  readonly pending: number
  readonly targets: readonly string[]
}

/** The databases by the migration at which they stand, the newest first. */
export function levelsOf(
  standings: readonly { readonly name: string; readonly newest: string | null; readonly pending: readonly string[] }[],
): readonly Level[] {
  const levels = new Map<string, { newest: string | null; pending: number; targets: string[] }>()
  for (const { name, newest, pending } of standings) {
    const key = `${newest ?? ""} ${pending.length}`
    const level = levels.get(key) ?? { newest, pending: pending.length, targets: [] }
    level.targets.push(name)
    levels.set(key, level)
  }
  return [...levels.values()].sort(
    (one, other) => one.pending - other.pending || byName(other.newest ?? "", one.newest ?? ""),
  )
}
