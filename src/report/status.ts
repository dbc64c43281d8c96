import type { Comparison, MigrationState } from "../history/compare.js"
import type { FolderMigration } from "../history/folder.js"
import type { RecordedRow } from "../history/recorded.js"
import { inLine } from "../printable.js"
import type { StatusAnswer } from "./status-json.js"

/** How long ago, in the largest unit that fits. */
export function ago(iso: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000))
  const units = [
    ["day", 86_400],
    ["hour", 3600],
    ["minute", 60],
  ] as const
  for (const [unit, size] of units) {
    const count = Math.floor(seconds / size)
    if (count > 0) return `${count} ${unit}${count > 1 ? "s" : ""} ago`
  }
  return "just now"
}

/** Whether everything in the folder is applied as it is, and nothing else is recorded. */
export const isUpToDate = ({ pending, failed, edited, missing, adoptions }: Comparison): boolean =>
  pending.length + failed.length + edited.length + missing.length + adoptions.length === 0

/** What a status shows beside the comparison. */
interface StatusContext {
  /** Migrations in the folder. */
  readonly total: number
  /** Whether the database has a history table at all. */
  readonly history: StatusAnswer["history"]
  /** What a database without a history holds, in words; undefined where it is empty. */
  readonly existingObjects: string | undefined
  /** What pending migrations destroy, in words, by their names. */
  readonly losses: ReadonlyMap<string, readonly string[]>
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The state of a history for people. With nothing to say it is one line. */
export function renderStatus(
  comparison: Comparison,
  { total, history, existingObjects, losses, now }: StatusContext,
): string {
  if (total === 0 && isUpToDate(comparison)) return "Nothing to do: the folder holds no migrations."
  if (isUpToDate(comparison)) return `Up to date: ${total} of ${total} migrations applied.`
  const { applied, pending, failed, edited, missing } = comparison
  const last = applied.at(-1)
  const latest = last ? `, last ${inLine(last.name)}, ${ago(last.row.finishedAt ?? "", now)}` : ""
  const lines = [count(applied.length, history === "none" ? "applied: no history yet" : `applied${latest}`)]
  const section = (title: string, entries: readonly string[]) => {
    if (entries.length > 0)
      lines.push(count(entries.length, title), ...entries.map((entry) => `       ${inLine(entry)}`))
  }
  section(
    "pending",
    pending.map(({ name, outOfOrder, rolledBack }) => {
      const destroyed = losses.get(name) ?? []
      const loss = destroyed.length > 0 ? `   destroys data: ${destroyed.join(", ")}` : ""
      return name + note(outOfOrder, rolledBack !== undefined) + loss
    }),
  )
  section(
    "failed",
    failed.map(
      ({ name, row }) =>
        `${name}   started ${ago(row.startedAt, now)}, ${row.steps} statement${row.steps === 1 ? "" : "s"} done`,
    ),
  )
  section(
    "edited after it was applied",
    edited.map(
      ({ name, row, migration }) =>
        `${name}   recorded ${row.checksum.slice(0, 4)}…, file ${migration.checksum.slice(0, 4)}…`,
    ),
  )
  section(
    "recorded, but missing from the folder",
    missing.map(({ name, row }) => `${name}   applied ${ago(row.finishedAt ?? "", now)}`),
  )
  section(
    "to adopt",
    comparison.adoptions.map(
      ({ migration: { name, squash } }) =>
        `${name}   in place of ${squash?.replaces.length} migrations that are applied: the next deploy rewrites their rows, and runs nothing`,
    ),
  )
  section(
    "squashed and applied in part",
    comparison.inBetween.map(
      ({ migration: { name, squash }, missing }) =>
        `${name}   ${missing.length} of the ${squash?.replaces.length} migrations that it replaces are not applied, first ${missing[0]}`,
    ),
  )
  lines.push(existingObjects === undefined ? verdict(comparison) : adoption(existingObjects))
  return lines.join("\n")
}

const count = (number: number, what: string): string => `${String(number).padStart(4)} ${what}`

function note(outOfOrder: boolean, rolledBack: boolean): string {
  return `${outOfOrder ? "   older than an applied one" : ""}${rolledBack ? "   rolled back before" : ""}`
}

const adoption = (existingObjects: string): string =>
  `Not up to date. The database has no history and is not empty (it holds ${inLine(existingObjects)}): \`lockstep baseline\` finds out which migrations it has already, and records them.`

function verdict({ failed, pending, ahead, adoptions, inBetween }: Comparison): string {
  if (failed.length > 0)
    return "Not up to date. A failed migration stops every deploy: `lockstep deploy` says why and what to do."
  if (inBetween.length > 0)
    return "Not up to date. A deploy refuses it: deploy the last release before the squash first."
  if (pending.length > 0) return "Not up to date. Apply with: `lockstep deploy`"
  if (adoptions.length > 0) return "Not up to date. Adopt with: `lockstep deploy`"
  return ahead ? "The database is ahead of this folder." : "The history and the folder differ."
}

interface StatusFacts extends Pick<StatusContext, "history" | "existingObjects" | "losses"> {
  /** Where the project's backfills stand; undefined where it has none. */
  readonly backfills: NonNullable<StatusAnswer["backfills"]> | undefined
}

/** What a status says of backfills, where some are not finished. */
export function backfillRemarks(backfills: StatusFacts["backfills"] = []): readonly string[] {
  const left = backfills.filter(({ state }) => state !== "finished")
  const [first] = left
  if (first === undefined) return []
  const which =
    left.length === 1 ? `the backfill ${first.name} is ${first.state}` : `${left.length} backfills are not finished`
  return [`${which}: \`lockstep backfill --list\``]
}

/** The state of a history for programs. */
export const statusAnswerOf = (
  comparison: Comparison,
  { history, existingObjects, losses, backfills }: StatusFacts,
): StatusAnswer => ({
  schema: "lockstep.status/1",
  history,
  existingObjects: existingObjects ?? null,
  upToDate: isUpToDate(comparison),
  ahead: comparison.ahead,
  duplicates: comparison.duplicates,
  ...squashAnswer(comparison),
  ...(backfills && { backfills: backfills.map(({ name, state }) => ({ name, state })) }),
  migrations: comparison.all.map((one) => migrationAnswer(one, losses)),
})

/** Nothing where no migration of the folder is a squashed one that waits. */
function squashAnswer({ adoptions, inBetween }: Comparison): Pick<StatusAnswer, "toAdopt" | "inBetween"> {
  const replaced = ({ squash }: FolderMigration) => squash?.replaces.length ?? 0
  return {
    ...(adoptions.length > 0 && {
      toAdopt: adoptions.map(({ migration }) => ({ name: migration.name, replaces: replaced(migration) })),
    }),
    ...(inBetween.length > 0 && {
      inBetween: inBetween.map(({ migration, missing }) => ({
        ...{ name: migration.name, replaces: replaced(migration), missing },
      })),
    }),
  }
}

function migrationAnswer(one: MigrationState, losses: StatusContext["losses"]): StatusAnswer["migrations"][number] {
  const { name } = one
  switch (one.state) {
    case "applied":
    case "edited":
      return { name, state: one.state, ...recorded(one.row), checksum: one.migration.checksum }
    case "missing":
      return { name, state: one.state, ...recorded(one.row) }
    case "failed": {
      const inFolder = one.migration && { checksum: one.migration.checksum }
      return { name, state: one.state, ...recorded(one.row), ...inFolder, logs: one.row.logs }
    }
    case "pending": {
      const { outOfOrder, migration, rolledBack } = one
      const rolledBackAt = rolledBack?.rolledBackAt ?? null
      const destroys = losses.get(name) ?? []
      return { name, state: one.state, checksum: migration.checksum, outOfOrder, rolledBackAt, destroys }
    }
  }
}

const recorded = ({ startedAt, finishedAt, steps, checksum }: RecordedRow) => ({
  startedAt,
  finishedAt,
  steps,
  recordedChecksum: checksum,
})
