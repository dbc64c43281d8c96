import { LockstepError } from "../errors.js"
import { betweenRefusal } from "../history/adoption.js"
import { type Comparison, duplicateRemarks, type StateOf } from "../history/compare.js"
import type { FolderMigration } from "../history/folder.js"
import type { DeploySettings } from "./context.js"
import { readLog } from "./recover/resume.js"

/** A failed migration that is resumed. */
export interface Resumption {
  readonly failed: StateOf<"failed">
  readonly migration: FolderMigration
  /** Whether it was asked for with --resume, or is this deploy's own after a lost connection. */
  readonly cause: "--resume" | "lost connection"
}

/** What a deploy is going to do. */
export type DeployPlan =
  | { readonly kind: "blocked"; readonly failed: StateOf<"failed">; readonly others: number }
  | {
      readonly kind: "go"
      /** In order; the one that is resumed comes first. */
      readonly apply: readonly FolderMigration[]
      readonly resume: Resumption | undefined
      /** What is tolerated, in words. */
      readonly notes: readonly string[]
    }

/**
 * Decides from the comparison alone. What stock Prisma tolerates becomes a note, because it must not keep a pod from
 * starting; `strict` refuses it. `own`: ids of history rows that this deploy started before its connection was lost.
 * Errors: L1105 differences under `strict`, L1851 some of what a squashed migration replaces is not applied.
 */
export function planDeploy(
  comparison: Comparison,
  settings: Pick<DeploySettings, "strict" | "resume">,
  own: { has(id: string): boolean },
): DeployPlan {
  const [failed, ...others] = comparison.failed
  const resume = failed && resumption(failed, settings, own)
  if (failed !== undefined && (resume === undefined || others.length > 0)) {
    return { kind: "blocked", failed, others: others.length }
  }
  const [between] = comparison.inBetween
  if (between !== undefined) throw betweenRefusal(between)
  const notes = differences(comparison)
  if (settings.strict && notes.length > 0) {
    throw new LockstepError(
      "L1105",
      `the history and the folder differ in ${notes.length === 1 ? "one way" : `${notes.length} ways`}`,
      {
        hint: notes.join("\n"),
        state: "nothing was touched.",
        next: "`lockstep status` shows each; deploy without --strict to tolerate them",
      },
    )
  }
  const pending = comparison.pending.map(({ migration }) => migration)
  const apply = resume ? [resume.migration, ...pending] : pending
  return { kind: "go", apply, resume, notes: [...notes, ...duplicateRemarks(comparison.duplicates)] }
}

/** Only what Lockstep applied statement by statement can be resumed: its row counts the statements. */
function resumption(
  failed: StateOf<"failed">,
  { resume }: Pick<DeploySettings, "resume">,
  own: { has(id: string): boolean },
): Resumption | undefined {
  const { migration, row } = failed
  if (migration === undefined || readLog(row.logs) === undefined) return undefined
  if (own.has(row.id)) return { failed, migration, cause: "lost connection" }
  return resume ? { failed, migration, cause: "--resume" } : undefined
}

function differences(comparison: Comparison): string[] {
  const edited = [...comparison.edited.map(({ name }) => name), ...comparison.adoptions.flatMap(({ edited }) => edited)]
  const notes = edited.map((name) => `${name} was edited after it was applied`)
  notes.push(
    ...comparison.unsquashed.map((name) => `the database has adopted a later squash of the migrations up to ${name}`),
  )
  const early = comparison.pending.filter(({ outOfOrder }) => outOfOrder)
  notes.push(...early.map(({ name }) => `${name} is pending, though newer migrations are applied`))
  if (comparison.ahead) {
    const count = comparison.missing.length
    notes.push(
      `the database is ahead of this folder by ${count} migration${count > 1 ? "s" : ""} (last: ${comparison.missing.at(-1)?.name})`,
    )
  } else {
    notes.push(...comparison.missing.map(({ name }) => `${name} is recorded in the database, but not in the folder`))
  }
  return notes
}
