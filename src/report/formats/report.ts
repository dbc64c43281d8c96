import { relative } from "node:path"
import type { Finding, Result } from "../../check/finding.js"
import { someOf } from "../../fleet/outcome.js"
import type { Comparison, MigrationState } from "../../history/compare.js"
import type { FolderMigration } from "../../history/folder.js"
import { checkVerdict } from "../check.js"

/** What a command found, in the one shape from which every format is rendered. */
export interface Report {
  /** The verb, such as "check". */
  readonly command: string
  /** The last line of the command's text. */
  readonly verdict: string
  readonly items: readonly Item[]
  /** Findings that several items have alike, with the items' names: people read these in place of each item's own. */
  readonly groups?: readonly { readonly finding: Finding; readonly items: readonly string[] }[]
  /** Where each database of a fleet stands. */
  readonly grid?: Grid
}

/** What people read: what several databases have alike is said once, with their names. */
export function findingsOf({ items, groups }: Report): readonly Finding[] {
  if (groups === undefined) return items.flatMap(({ findings }) => findings)
  return groups.map(({ finding, items: names }) => ({
    ...finding,
    message: `${finding.message}\nin ${someOf(names, 5)}`,
  }))
}

/** What a command looked at, such as a check or a migration. */
export interface Item {
  readonly name: string
  readonly state: "passed" | "warned" | "failed" | "skipped"
  readonly findings: readonly Finding[]
  /** Findings that an exception accepts, each with the exception's reason. */
  readonly accepted: readonly { readonly reason: string; readonly finding: Finding }[]
  /** Why it was skipped. */
  readonly skipped?: string
  /** Milliseconds. */
  readonly durationMs?: number
}

/** The report of `lockstep check`: an item a check. */
export const checkReport = (results: readonly Result[]): Report => ({
  command: "check",
  verdict: checkVerdict(results),
  items: results.map((result): Item => {
    const { check: name, state } = result
    if (state === "skipped") return { name, state, findings: [], accepted: [], skipped: result.reason }
    const { durationMs, accepted } = result
    return { name, state, findings: state === "passed" ? [] : result.findings, accepted, durationMs }
  }),
})

/**
 * The report of `lockstep status`: an item a migration; what is not applied as it is in the folder has failed. `text`:
 * the command's own, whose last line is the verdict.
 */
export const statusReport = ({ all }: Comparison, folder: readonly FolderMigration[], text: string): Report => ({
  command: "status",
  verdict: text.split("\n").at(-1) ?? "",
  items: all.map((one): Item => {
    const { name, state } = one
    if (one.state === "applied") return { name, state: "passed", findings: [], accepted: [] }
    const path = folder.find((migration) => migration.name === name)?.path
    const file = path && relative(process.cwd(), path).replaceAll("\\", "/")
    const finding: Finding = {
      check: `status/${state}`,
      severity: "error",
      title: statusTitles[one.state],
      message: statusMessage(one),
      ...(file === undefined ? {} : { file }),
      object: name,
      fixable: false,
      docs: "docs/commands.md#lockstep-status",
    }
    return { name, state: "failed", findings: [finding], accepted: [] }
  }),
})

const statusTitles: Readonly<Record<Exclude<MigrationState["state"], "applied">, string>> = {
  pending: "a migration is pending",
  failed: "a migration has failed",
  edited: "a migration was edited after it was applied",
  missing: "a migration is recorded, but missing from the folder",
}

function statusMessage(one: Exclude<MigrationState, { state: "applied" }>): string {
  switch (one.state) {
    case "pending":
      return `${one.name} is not applied${one.outOfOrder ? ", and is older than an applied one" : ""}.`
    case "failed":
      return `${one.name} failed at ${one.row.startedAt}; until it is resolved nothing is applied.`
    case "edited":
      return `${one.name} is applied with checksum ${one.row.checksum}, and the file has ${one.migration.checksum}.`
    case "missing":
      return `${one.name} is applied in the database, and the folder does not have it.`
  }
}

/** The databases of a fleet by version: a row a database, a column a migration of the folder, or a backfill. */
export interface Grid {
  readonly of: "migration" | "backfill"
  /** The folder's migrations or backfills, in their order. */
  readonly names: readonly string[]
  readonly rows: readonly GridRow[]
}

/** Where one database stands. */
export interface GridRow {
  readonly name: string
  readonly group: string | null
  /** In a word, as the command's text has it: "done", "failed", "behind", … */
  readonly state: string
  /** The newest of the migrations that is applied, of the backfills the last that is finished; null: none, or it is not known. */
  readonly newest: string | null
  /** Those that are not applied, out of order ones included; undefined where it is not known. */
  readonly pending?: readonly string[]
  readonly edited?: readonly string[]
  readonly failed?: readonly string[]
}
