import { findSquashed, type Squashed } from "./adoption.js"
import { byName, type FolderMigration, matchesChecksum } from "./folder.js"
import { hasFailed, isApplied, type RecordedRow } from "./recorded.js"

/** One migration, wherever it is known from. */
export type MigrationState =
  | { readonly state: "applied"; readonly name: string; readonly row: RecordedRow; readonly migration: FolderMigration }
  | { readonly state: "edited"; readonly name: string; readonly row: RecordedRow; readonly migration: FolderMigration }
  | { readonly state: "missing"; readonly name: string; readonly row: RecordedRow }
  | {
      readonly state: "failed"
      readonly name: string
      readonly row: RecordedRow
      readonly migration: FolderMigration | undefined
    }
  | {
      readonly state: "pending"
      readonly name: string
      readonly migration: FolderMigration
      /** Sorts before a migration that is already applied. */
      readonly outOfOrder: boolean
      /** The row of an earlier attempt that was marked as rolled back. */
      readonly rolledBack: RecordedRow | undefined
    }

export type StateOf<S extends MigrationState["state"]> = Extract<MigrationState, { state: S }>

/** Folder and history side by side. A squashed migration that is to be adopted counts as applied. */
export interface Comparison extends Squashed {
  /** Every migration once, ordered by name. */
  readonly all: readonly MigrationState[]
  readonly applied: readonly (StateOf<"applied"> | StateOf<"edited">)[]
  readonly pending: readonly StateOf<"pending">[]
  readonly edited: readonly StateOf<"edited">[]
  readonly missing: readonly StateOf<"missing">[]
  readonly failed: readonly StateOf<"failed">[]
  /** Names that more than one row records as applied; the first of these rows counts. */
  readonly duplicates: readonly string[]
  /** Nothing to apply, and all that the folder lacks is newer: an older release before a newer database. */
  readonly ahead: boolean
}

/** Compares the folder with the history, as Prisma reads it. A row that was rolled back counts as never run. */
export function compare(folder: readonly FolderMigration[], recorded: readonly RecordedRow[]): Comparison {
  const rows = latestRows(recorded)
  const squashed = findSquashed(folder, rows)
  const inFolder = new Map(folder.map((migration) => [migration.name, migration]))
  let lastApplied: string | undefined
  for (const row of rows.values()) {
    if (isApplied(row) && (lastApplied === undefined || byName(row.name, lastApplied) > 0)) lastApplied = row.name
  }
  const names = [...new Set([...inFolder.keys(), ...rows.keys()])]
  // The folder is in order already; thousands of names are not sorted again for nothing.
  if (names.length > inFolder.size) names.sort(byName)
  const all: MigrationState[] = []
  for (const name of names) {
    const state = stateOf({ name, migration: inFolder.get(name), row: rows.get(name) }, lastApplied)
    if (state !== undefined) all.push(state)
  }
  const pick = <S extends MigrationState["state"]>(...states: S[]) =>
    all.filter((one): one is StateOf<S> => states.some((state) => state === one.state))
  const missing = pick("missing")
  const pending = pick("pending")
  const newest = folder.at(-1)?.name
  return {
    ...squashed,
    all,
    applied: pick("applied", "edited"),
    pending,
    edited: pick("edited"),
    missing,
    failed: pick("failed"),
    duplicates: duplicatesIn(recorded),
    ahead:
      missing.length > 0 &&
      pending.length === 0 &&
      newest !== undefined &&
      missing.every(({ name }) => byName(name, newest) > 0),
  }
}

/** Notes about migrations that are recorded as applied more than once. */
export const duplicateRemarks = (names: readonly string[]): readonly string[] =>
  names.map(
    (name) => `${name} is recorded as applied more than once; \`lockstep resolve --applied ${name}\` keeps one row`,
  )

/** Names that more than one row records as applied, each once. */
function duplicatesIn(recorded: readonly RecordedRow[]): readonly string[] {
  const applied = new Set<string>()
  const twice = recorded.filter((row) => isApplied(row) && applied.size === applied.add(row.name).size)
  return [...new Set(twice.map(({ name }) => name))]
}

/** The row that counts: a failed one stops everything, an applied one, the first, outweighs those rolled back. */
function latestRows(recorded: readonly RecordedRow[]): Map<string, RecordedRow> {
  const weight = (row: RecordedRow) => (hasFailed(row) ? 2 : isApplied(row) ? 1 : 0)
  const rows = new Map<string, RecordedRow>()
  for (const row of recorded) {
    const known = rows.get(row.name)
    if (known === undefined || weight(row) > weight(known) || (weight(row) === weight(known) && !isApplied(row))) {
      rows.set(row.name, row)
    }
  }
  return rows
}

interface Found {
  readonly name: string
  readonly migration: FolderMigration | undefined
  readonly row: RecordedRow | undefined
}

function stateOf({ name, migration, row }: Found, lastApplied: string | undefined): MigrationState | undefined {
  if (row && hasFailed(row)) return { state: "failed", name, row, migration }
  if (row && isApplied(row)) {
    if (!migration) return { state: "missing", name, row }
    const { checksum } = migration
    const same = checksum === row.checksum || matchesChecksum(migration.text, checksum, row.checksum)
    return { state: same ? "applied" : "edited", name, row, migration }
  }
  if (!migration) return undefined
  const outOfOrder = lastApplied !== undefined && byName(name, lastApplied) < 0
  return { state: "pending", name, migration, outOfOrder, rolledBack: row }
}
