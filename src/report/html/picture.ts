import type { Waiting } from "../../plan/planned.js"
import type { CatalogObject } from "../../postgres/catalog.js"

/** What a page shows beside the report that every format has. */
export interface Picture {
  /** The database that it is about, without a password. */
  readonly subject: string | undefined
  /** Where the facts come from, in a sentence. */
  readonly basis: string | undefined
  /** What a reader has to know before the rest, such as a difference between database and history. */
  readonly remarks: readonly string[]
  /** The most important numbers. */
  readonly facts: readonly Fact[]
  readonly history: readonly HistoryEntry[]
  /** Those that are shown with their SQL. */
  readonly migrations: readonly ShownMigration[]
  readonly backfills: readonly ShownBackfill[]
  /** Undefined where no scratch database had both. */
  readonly schema: SchemaChange | undefined
}

/** A page that shows the report alone. */
export const emptyPicture: Picture = {
  ...{ subject: undefined, basis: undefined, schema: undefined },
  ...{ remarks: [], facts: [], history: [], migrations: [], backfills: [] },
}

/** How good or bad something is; "info" is neither. */
export type Tone = "good" | "info" | "warn" | "bad"

export interface Fact {
  readonly label: string
  readonly value: string
  readonly tone: Tone
}

/** A migration in the history. */
export interface HistoryEntry {
  readonly name: string
  readonly state: HistoryState
  /** When it was applied or began to fail, ISO 8601. */
  readonly at?: string | undefined
  /** What else there is to know, in words. */
  readonly note?: string | undefined
}

/** "known": the base branch has it, and there is no database to ask. */
export type HistoryState = "applied" | "pending" | "failed" | "undone" | "edited" | "missing" | "known"

/** A migration with its SQL. */
export interface ShownMigration {
  readonly name: string
  /** The file's path from where the command runs. */
  readonly file: string
  readonly sql: string
  readonly state: HistoryState
  /** What it is, in a few words each: "in one transaction". */
  readonly traits: readonly string[]
  readonly statements: readonly ShownStatement[]
  /** What the widths of its statements on the time's axis mean. */
  readonly scale: "measured" | "estimated"
}

/** A backfill, and how far along its table it is. */
export interface ShownBackfill {
  readonly name: string
  /** The file's path from where the command runs. */
  readonly file: string
  /** The file's statement, or that of the next batch. */
  readonly sql: string
  readonly state: "finished" | "running" | "unfinished" | "not started" | "failed"
  /** Rows that are walked, of about how many; undefined where that is not known. */
  readonly walked: number
  readonly estimated: number | undefined
  /** What else there is to know, in a few words each: "500 rows changed in 2 batches". */
  readonly notes: readonly string[]
}

/** A statement, and what it does to tables that exist already. */
export interface ShownStatement {
  /** Of its first token, 1-based. */
  readonly line: number
  /** Measured, or "instant" is 1 and what takes longer is more. */
  readonly width: number
  /** In words, such as "1.2 s"; undefined where nothing was measured. */
  readonly time: string | undefined
  /** Rows that it wrote, in words. */
  readonly rows: readonly string[]
  readonly locks: readonly ShownLock[]
}

/** A lock on a table. */
export interface ShownLock {
  /** As SQL, quoted. */
  readonly table: string
  /** Rows and bytes, in words. */
  readonly size: string | undefined
  readonly lock: string
  readonly waits: Waiting
  readonly until: "end of migration" | "end of statement"
  /** What takes time under it, in words: "rewrites the table". */
  readonly work: readonly string[]
}

/** The catalogs before and after. */
export interface SchemaChange {
  readonly before: readonly CatalogObject[]
  readonly after: readonly CatalogObject[]
}
