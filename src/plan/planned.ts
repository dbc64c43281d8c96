import type { MigrationClass } from "../deploy/apply/prepare.js"
import type { MigrationState } from "../history/compare.js"
import type { CatalogObject } from "../postgres/catalog.js"
import type { Drift } from "../scratch/replay.js"
import type { Effect } from "../sql/effects.js"
import type { Cost, LockMode } from "../sql/rules.js"

/** What a deploy would do, and to what. Sizes are bytes, rows are PostgreSQL's estimate. */
export interface Plan {
  readonly basis: PlanBasis
  /** The database whose tables' sizes are shown, for people. */
  readonly target: string
  readonly migrations: readonly PlannedMigration[]
  /** Migrations in the folder. */
  readonly total: number
  /** Names of failed migrations: until each is resolved nothing is applied. */
  readonly failed: readonly string[]
  /** Squashed migrations whose rows a deploy puts in the place of those of what they replace; nothing of them runs. */
  readonly adopts: readonly string[]
  /** What a database without a history holds, in words: until it is baselined nothing is applied. */
  readonly existingObjects: string | undefined
  /** The server's standbys and the replication slots of the database, in words; none where nothing is pending. */
  readonly replicas: readonly string[]
  /** How the database differs from what its applied migrations make; undefined where they were not compared. */
  readonly drift: Drift | undefined
  /** Every migration of the folder and of the database. */
  readonly history: readonly MigrationState[]
  /** The scratch database's objects before the pending migrations and after those that ran; undefined unless asked for. */
  readonly schema: { readonly before: readonly CatalogObject[]; readonly after: readonly CatalogObject[] } | undefined
}

/** Where a plan comes from. */
export type PlanBasis =
  /** The pending migrations ran on a scratch database in the state of the applied ones. */
  | { readonly basis: "observed"; readonly version: string; readonly on: string }
  /** Judged by the rules of docs/lock-rules.md. `next`: how to have it observed. */
  | { readonly basis: "estimated"; readonly why: string; readonly next: string | undefined }

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
  /** Of its first token, 1-based; the column in characters. */
  readonly line: number
  readonly column: number
  /** The whole statement, on one line. */
  readonly text: string
  readonly basis: PlanBasis["basis"]
  /** One for each relation that it works on; empty where there is nothing to plan for. */
  readonly work: readonly Work[]
  /** Why PostgreSQL refused it on the scratch database: then it fails in a deploy as well. */
  readonly refused: string | undefined
  /** What the user's code reported there. */
  readonly notices: readonly string[]
}

/** Who waits for a lock: those who read the table, those who write it. */
export type Waiting = "readers and writers" | "writers" | "nobody" | "unknown"

/** What a statement does to one relation. */
export interface Work {
  readonly rules: readonly Effect["rule"][]
  /** "none": nothing that another session could wait for; "unknown": not visible in the SQL. */
  readonly lock: Effect["lock"]
  readonly waits: Waiting
  /** How long the lock is held: to the end of its transaction, which is the migration's where it is transactional. */
  readonly until: "end of migration" | "end of statement"
  /** A stronger lock that an earlier statement of the same transaction took, and where. */
  readonly held: { readonly lock: LockMode; readonly line: number } | undefined
  /** As SQL, quoted; undefined where the statement names none. */
  readonly table: string | undefined
  readonly target: Target
  readonly rewrites: Effect["rewrites"]
  readonly scans: Effect["scans"]
  /** How it writes rows; those that it reaches by a foreign key's action included. */
  readonly writes: readonly ("insert" | "update" | "delete" | "truncate")[]
  readonly costs: readonly Cost[]
  /** The data that is gone afterwards, in words. */
  readonly destroys: readonly string[]
  /** Why it is certain to fail on the rows that the target has now, in words. */
  readonly fails: readonly string[]
  /** What is not known about it, in words. */
  readonly unknown: readonly string[]
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
      readonly partitions: number
      /** What hangs on it, in words: `view "Recent"`, `foreign key "Payment_orderId_fkey" of "Payment"`. */
      readonly dependents: readonly string[]
    }
  /** Made by an earlier pending statement: nobody else uses it, so nothing done to it needs planning. */
  | { readonly state: "new" }
  /** Neither in the database nor made by an earlier statement. */
  | { readonly state: "absent" }
  /** The statement names no relation. */
  | { readonly state: "unnamed" }

export type RelationKind = "table" | "partitioned table" | "foreign table" | "materialized view" | "view" | "sequence"

/**
 * Who waits for a lock. Reading needs ACCESS SHARE and writing ROW EXCLUSIVE.
 * Source: PostgreSQL's documentation, table "Conflicting Lock Modes".
 */
export function waitsFor(lock: LockMode | "none" | "unknown"): Waiting {
  switch (lock) {
    case "unknown":
      return "unknown"
    case "ACCESS EXCLUSIVE":
      return "readers and writers"
    case "EXCLUSIVE":
    case "SHARE ROW EXCLUSIVE":
    case "SHARE":
      return "writers"
    default:
      return "nobody"
  }
}

/** Work of which nothing but this is known: something else may happen. */
export const unknownWork = (why: string): Work => ({
  ...{ rules: [], lock: "unknown", waits: "unknown", until: "end of migration", held: undefined },
  ...{ table: undefined, target: { state: "unnamed" }, rewrites: "depends", scans: "depends", writes: [] },
  ...{ costs: ["unknown"], destroys: [], fails: [], unknown: [why], safer: [] },
})
