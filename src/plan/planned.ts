import type { MigrationClass } from "../deploy/apply/prepare.js"
import type { Effect } from "../sql/effects.js"
import type { Cost } from "../sql/rules.js"

/** What a deploy would do, and to what. Sizes are bytes, rows are PostgreSQL's estimate. */
export interface Plan {
  readonly migrations: readonly PlannedMigration[]
  /** Migrations in the folder. */
  readonly total: number
  /** Names of failed migrations: until each is resolved nothing is applied. */
  readonly failed: readonly string[]
  /** What a database without a history holds, in words: until it is baselined nothing is applied. */
  readonly existingObjects: string | undefined
}

/** A pending migration. */
export interface PlannedMigration {
  readonly name: string
  /** For people: the file's path from where they are. */
  readonly file: string
  readonly class: MigrationClass
  /** Why it is not transactional, in words. */
  readonly why: string | undefined
  /** Sorts before a migration that is already applied. */
  readonly outOfOrder: boolean
  readonly statements: readonly PlannedStatement[]
  /** Where the parser refuses the file; then no statement is known. */
  readonly unparsed: { readonly line: number; readonly column: number; readonly message: string } | undefined
}

/** One statement. */
export interface PlannedStatement {
  /** Of its first token, 1-based. */
  readonly line: number
  /** The statement on one line; cut where it is very long. */
  readonly text: string
  /** One for each relation that it works on; empty where there is nothing to plan for. */
  readonly work: readonly Work[]
}

/** What a statement does to one relation. */
export interface Work {
  readonly rules: readonly Effect["rule"][]
  /** "none": nothing that another session could wait for; "unknown": not visible in the SQL. */
  readonly lock: Effect["lock"]
  /** As SQL, quoted; undefined where the statement names none. */
  readonly table: string | undefined
  readonly target: Target
  readonly rewrites: Effect["rewrites"]
  readonly scans: Effect["scans"]
  readonly costs: readonly Cost[]
  /** The data that is gone afterwards, in words. */
  readonly destroys: readonly string[]
  /** What to do instead. */
  readonly safer: readonly string[]
}

/** The relation that a statement works on, as it is in the database now. */
export type Target =
  | {
      readonly state: "existing"
      readonly kind: RelationKind
      /** undefined: never analysed, or it has none. */
      readonly rows: number | undefined
      /** With its indexes, TOAST and partitions; undefined: locked by another session, or it has none. */
      readonly bytes: number | undefined
    }
  /** Made by an earlier pending statement: nobody else uses it, so nothing done to it needs planning. */
  | { readonly state: "new" }
  /** Neither in the database nor made by an earlier statement. */
  | { readonly state: "absent" }
  /** The statement names no relation. */
  | { readonly state: "unnamed" }

export type RelationKind = "table" | "partitioned table" | "foreign table" | "materialized view" | "view" | "sequence"
