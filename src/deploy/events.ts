import type { MigrationClass } from "./apply/prepare.js"

/** Who holds the migration lock. */
export interface LockHolder {
  readonly pid: number
  readonly applicationName: string
  /** "local" for a unix socket. */
  readonly address: string
  /** How long its current statement or transaction has run, in milliseconds. */
  readonly forMs: number
  /** The first line of its current or last statement. */
  readonly query: string
  /** PostgreSQL's percentage, where it builds an index. */
  readonly percent: number | undefined
}

/** What happens during a deploy, as it happens. Durations are milliseconds. */
export type DeployEvent =
  | {
      readonly event: "began"
      readonly version: string
      /** The folder's digest, see history/digest.ts; its first twelve digits are shown. */
      readonly history: string
      readonly migrations: number
      readonly host: string
      readonly port: number
      readonly database: string
      readonly databaseSchema: string
    }
  | { readonly event: "waiting-for-database"; readonly reason: string; readonly waitedMs: number }
  | { readonly event: "database-created"; readonly database: string }
  | { readonly event: "note"; readonly text: string }
  | { readonly event: "waiting-for-lock"; readonly waitedMs: number; readonly holder: LockHolder | undefined }
  | { readonly event: "planned"; readonly total: number; readonly pending: readonly string[] }
  | {
      readonly event: "started"
      readonly name: string
      readonly class: MigrationClass
      readonly index: number
      readonly of: number
    }
  | {
      readonly event: "progress"
      readonly name: string
      /** What the server does now, in PostgreSQL's words. */
      readonly doing: string
      readonly percent: number | undefined
      readonly elapsedMs: number
    }
  | {
      readonly event: "retry"
      readonly name: string | undefined
      readonly attempt: number
      readonly of: number
      readonly delayMs: number
      readonly reason: string
    }
  | { readonly event: "applied"; readonly name: string; readonly class: MigrationClass; readonly durationMs: number }
  | { readonly event: "failed"; readonly name: string }
  | { readonly event: "verified"; readonly recorded: number; readonly of: number }
  | { readonly event: "schema-verified"; readonly migrations: number }
