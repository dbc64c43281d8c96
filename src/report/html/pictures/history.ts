import { relative } from "node:path"
import { undoneBy } from "../../../change/undo-file.js"
import type { MigrationState } from "../../../history/compare.js"
import type { FolderMigration } from "../../../history/folder.js"
import {
  emptyPicture,
  type Fact,
  type HistoryEntry,
  type HistoryState,
  type Picture,
  type ShownMigration,
} from "../picture.js"

/** The history as it is recorded, beside the folder. A migration that an applied undo took back is undone. */
export function historyEntries(all: readonly MigrationState[]): readonly HistoryEntry[] {
  const undone = new Map(
    all.flatMap((one) =>
      one.state === "applied" || one.state === "edited"
        ? undoneBy(one.migration.text).map((name) => [name, one.name] as const)
        : [],
    ),
  )
  return all.map((one) => entryOf(one, undone.get(one.name)))
}

function entryOf(one: MigrationState, undoneIn: string | undefined): HistoryEntry {
  const { name, state } = one
  switch (one.state) {
    case "pending":
      return { name, state, note: pendingNote(one) }
    case "failed":
      return {
        name,
        state,
        at: one.row.startedAt,
        note: `${one.row.steps} ${one.row.steps === 1 ? "statement" : "statements"} done`,
      }
    case "missing":
      return { name, state, at: one.row.finishedAt ?? undefined, note: "not in the folder" }
    case "edited":
      return { name, state, at: one.row.finishedAt ?? undefined, note: "edited after it was applied" }
    case "applied": {
      const at = one.row.finishedAt ?? undefined
      return undoneIn === undefined ? { name, state, at } : { name, state: "undone", at, note: `by ${undoneIn}` }
    }
  }
}

function pendingNote({ outOfOrder, rolledBack }: Extract<MigrationState, { state: "pending" }>): string | undefined {
  const notes = [
    ...(outOfOrder ? ["older than an applied one"] : []),
    ...(rolledBack?.rolledBackAt ? [`rolled back ${rolledBack.rolledBackAt.slice(0, 10)}`] : []),
  ]
  return notes.length > 0 ? notes.join(", ") : undefined
}

/** How many are in each state that there is. */
export function historyFacts(history: readonly HistoryEntry[]): readonly Fact[] {
  return facts.flatMap(([state, label, tone]) => {
    const count = history.filter((one) => one.state === state).length
    return count === 0 ? [] : [{ label, value: String(count), tone }]
  })
}

const facts: readonly (readonly [HistoryState, string, Fact["tone"]])[] = [
  ["failed", "Failed", "bad"],
  ["edited", "Edited after they were applied", "warn"],
  ["missing", "Missing from the folder", "warn"],
  ["pending", "Pending", "info"],
  ["undone", "Undone", "info"],
  ["applied", "Applied", "info"],
]

/** A migration of which only the SQL is known. */
export const plainMigration = ({ name, path, text }: FolderMigration, state: HistoryState): ShownMigration => ({
  ...{ name, state, sql: text, traits: [], statements: [], scale: "estimated" },
  file: relative(process.cwd(), path).replaceAll("\\", "/"),
})

/** A database's address, without user and password. */
export const subjectOf = (url: {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly schema: string
}): string => `${url.host}:${url.port}/${url.database}${url.schema === "public" ? "" : ` (${url.schema})`}`

/** The picture of a status: the history, and the SQL of what is not applied as it is. */
export function statusPicture(
  all: readonly MigrationState[],
  subject: string,
  losses: ReadonlyMap<string, readonly string[]>,
): Picture {
  const history = historyEntries(all).map((one) => {
    const lost = losses.get(one.name) ?? []
    return lost.length === 0
      ? one
      : { ...one, note: [one.note, `destroys ${lost.join(", ")}`].filter(Boolean).join(", ") }
  })
  const migrations = all.flatMap((one) =>
    one.state === "applied" || one.state === "missing" || one.migration === undefined
      ? []
      : [plainMigration(one.migration, one.state)],
  )
  return { ...emptyPicture, subject, facts: historyFacts(history), history, migrations }
}
