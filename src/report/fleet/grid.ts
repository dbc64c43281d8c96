/** The databases of a fleet by version: a row a database, a column a migration of the folder. */
export interface Grid {
  /** The folder's migrations, in their order. */
  readonly migrations: readonly string[]
  readonly rows: readonly GridRow[]
}

/** Where one database stands. */
export interface GridRow {
  readonly name: string
  readonly group: string | null
  /** In a word, as the command's text has it: "done", "failed", "behind", … */
  readonly state: string
  /** The newest of the migrations that is applied; null: none, or it is not known. */
  readonly newest: string | null
  /** Those that are not applied, out of order ones included; undefined where it is not known. */
  readonly pending?: readonly string[]
  readonly edited?: readonly string[]
  readonly failed?: readonly string[]
}
