import { LockstepError } from "../errors.js"
import { digestOf, type FolderMigration } from "./folder.js"
import { hasFailed, isApplied, type RecordedRow } from "./recorded.js"
import { type Replaced, replacedDigestOf } from "./squash.js"

/** A squashed migration whose replaced ones are all recorded: its row is to take the place of theirs. */
export interface Adoption {
  readonly migration: FolderMigration
  /** The names of the rows that it replaces. */
  readonly names: readonly string[]
  /** The row of the last one, whose times it keeps. */
  readonly last: RecordedRow
  /** Names of those that are recorded with another checksum than the replaced file had. */
  readonly edited: readonly string[]
}

/** A squashed migration of whose replaced ones the database has some, and not all: neither may it run nor be adopted. */
export interface InBetween {
  readonly migration: FolderMigration
  readonly applied: number
  readonly missing: readonly string[]
}

/** What squashed migrations make of a history. */
export interface Squashed {
  readonly adoptions: readonly Adoption[]
  readonly inBetween: readonly InBetween[]
  /** Names of rows that replaced what this folder still has: the folder is of a release before the squash. */
  readonly unsquashed: readonly string[]
}

export type Rows = Map<string, RecordedRow>

/**
 * Finds in the rows, by name, what the folder's squashed migrations replace. The rows are changed so that each
 * migration of the folder has the state that the database is in: a squashed migration that is to be adopted has a row,
 * what it replaces has none; and what was replaced and is still in the folder has one.
 */
export function findSquashed(folder: readonly FolderMigration[], rows: Rows): Squashed {
  const adoptions: Adoption[] = []
  const inBetween: InBetween[] = []
  for (const migration of folder) {
    const own = rows.get(migration.name)
    if (migration.squash === undefined || own?.checksum === migration.checksum) continue
    const { held, edited, missing } = lookUp(migration.squash.replaces, rows)
    // The last one alone is the squashed migration itself, edited since.
    if (held.length === 0 || (held.length === 1 && held[0] === own && migration.squash.replaces.length > 1)) continue
    const names = held.map(({ name }) => name)
    for (const row of held) if (!hasFailed(row)) rows.delete(row.name)
    const last = own && isApplied(own) && missing.length === 0 ? own : undefined
    if (last === undefined) inBetween.push({ migration, applied: held.filter(isApplied).length, missing })
    else {
      adoptions.push({ migration, names: [...new Set(names)], last, edited })
      rows.set(migration.name, { ...last, checksum: migration.checksum })
    }
  }
  return { adoptions, inBetween, unsquashed: unsquash(folder, rows) }
}

interface Found {
  readonly held: readonly RecordedRow[]
  readonly edited: readonly string[]
  readonly missing: readonly string[]
}

function lookUp(replaces: readonly Replaced[], rows: Rows): Found {
  const held: RecordedRow[] = []
  const edited: string[] = []
  const missing: string[] = []
  for (const { name, checksum, replaces: earlier } of replaces) {
    const row = rows.get(name)
    // A database that has not adopted an earlier squash has what that one replaced.
    if (earlier.length > 0 && row?.checksum !== checksum) {
      const found = lookUp(earlier, rows)
      held.push(...found.held)
      edited.push(...found.edited)
      missing.push(...found.missing)
      continue
    }
    if (row !== undefined && (isApplied(row) || hasFailed(row))) held.push(row)
    if (row === undefined || !isApplied(row)) missing.push(name)
    else if (row.checksum !== checksum) edited.push(name)
  }
  return { held, edited, missing }
}

/** Gives rows to the folder's migrations that a row of a later squash has replaced, all of them or none. */
function unsquash(folder: readonly FolderMigration[], rows: Rows): readonly string[] {
  const names: string[] = []
  for (const row of [...rows.values()]) {
    const digest = isApplied(row) ? replacedDigestOf(row.id) : undefined
    const at = digest === undefined ? -1 : folder.findIndex(({ name }) => name === row.name)
    const replaced = folder.slice(0, at + 1)
    if (digest === undefined || replaced.at(-1)?.checksum === row.checksum) continue
    if (!digestOf(replaced).startsWith(digest)) continue
    for (const { name, checksum } of replaced) rows.set(name, { ...row, name, checksum })
    names.push(row.name)
  }
  return names
}

/** Why a database with some of the replaced migrations cannot be deployed to, and the way out. Errors: L1851. */
export function betweenRefusal({ migration, applied, missing }: InBetween): LockstepError {
  const { name, squash } = migration
  const count = squash?.replaces.length ?? 0
  const shown = missing.slice(0, 10)
  return new LockstepError(
    "L1851",
    `the database has ${applied} of the ${count} migrations that the squashed ${name} replaces, and not all`,
    {
      hint: [
        "Not applied:",
        ...shown.map((each) => `  ${each}`),
        ...(missing.length > shown.length ? [`  and ${missing.length - shown.length} more`] : []),
      ].join("\n"),
      state: "nothing was touched.",
      next: "deploy the last release before the squash to this database (or check out its migrations folder, and `lockstep deploy`), then run the same command again",
    },
  )
}
