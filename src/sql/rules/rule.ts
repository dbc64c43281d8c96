/** PostgreSQL's table-level lock modes, weakest first (chapter "Explicit Locking"). */
export const lockModes = [
  "ACCESS SHARE",
  "ROW SHARE",
  "ROW EXCLUSIVE",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "EXCLUSIVE",
  "ACCESS EXCLUSIVE",
] as const
export type LockMode = (typeof lockModes)[number]

/** How long the lock is needed, in the words that `lockstep plan` prints. */
export type Cost =
  | "instant"
  | "full scan under the lock"
  | "full scan, reads and writes continue"
  | "rewrites the table"
  | "may rewrite the table"
  | "builds an index under the lock"
  | "builds an index, reads and writes continue"
  | "writes every row"
  | "writes the matching rows"
  | "writes rows"
  | "runs its query"
  | "waits for older transactions"
  | "unknown"

/** What one kind of statement does to one relation. */
export interface Rule {
  /** The kind of statement, in SQL's words. */
  readonly what: string
  /** "none": nothing that another session could wait for; "unknown": not visible in the SQL. */
  readonly lock: LockMode | "none" | "unknown"
  /** The relation of the example that the rule is about; absent where it is about none. */
  readonly on?: string
  /** Whether the table's file is written anew. "depends": on what is not visible in the SQL; `why` says on what. */
  readonly rewrites: boolean | "depends"
  /** Whether rows are read before the statement ends, by a full scan. */
  readonly scans: boolean | "depends"
  readonly cost: Cost
  readonly why: string
  /** The page of PostgreSQL's documentation that says so. */
  readonly page: string
  /** Runs on the tables of test/sql/shop.ts, where the rule is measured. */
  readonly example: string
  /** The first major version of PostgreSQL that has the statement; absent: every one that Lockstep supports. */
  readonly since?: number
  /** What an older version that has it does in another way. */
  readonly before?: string
  /** What to do instead; `{table}`, `{column}` and `{name}` are filled in. */
  readonly safer?: string
}
