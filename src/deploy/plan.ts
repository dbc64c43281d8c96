import { LockstepError } from "../errors.js"
import type { Comparison, StateOf } from "../history/compare.js"
import type { FolderMigration } from "../history/folder.js"
import type { DeploySettings } from "./request.js"

/** What a deploy is going to do. */
export interface DeployPlan {
  readonly apply: readonly FolderMigration[]
  /** The failed migration to go on with, before all others. */
  readonly resume: StateOf<"failed"> | undefined
  /** What is tolerated, in plain words. */
  readonly notes: readonly string[]
}

/**
 * Decides from the comparison alone. What stock Prisma tolerates is tolerated and told, because a pod must not be kept
 * down by it; `strict` refuses it.
 * Errors: L1104 a failed migration, L1105 differences under `strict`.
 */
export function planDeploy(comparison: Comparison, settings: DeploySettings): DeployPlan {
  const resume = resumable(comparison, settings)
  const notes = differences(comparison)
  if (settings.strict && notes.length > 0) {
    throw new LockstepError(
      "L1105",
      `the history and the folder differ in ${notes.length === 1 ? "one way" : `${notes.length} ways`}`,
      {
        hint: notes.join("\n"),
        state: "nothing was touched.",
        next: "pnpm db:status shows each; deploy without --strict to tolerate them",
      },
    )
  }
  return { apply: comparison.pending.map(({ migration }) => migration), resume, notes }
}

function resumable(comparison: Comparison, settings: DeploySettings): StateOf<"failed"> | undefined {
  const [failed] = comparison.failed
  if (failed === undefined) return undefined
  if (settings.resume && failed.migration && comparison.failed.length === 1) return failed
  const { name, row } = failed
  const logs = row.logs?.trim()
  throw new LockstepError(
    "L1104",
    `the migration ${name} failed at ${row.startedAt} and nothing has settled it since (Prisma's P3009)`,
    {
      hint: logs ? `The history says:\n${indent(logs)}` : "It was stopped from outside: the history holds no error.",
      state: state(row.steps, comparison.failed.length),
      next: next(failed),
    },
  )
}

const state = (steps: number, failed: number): string => {
  const others = failed > 1 ? ` ${failed - 1} more failed migration${failed > 2 ? "s" : ""} stand in the history.` : ""
  return `${steps > 0 ? `its first ${steps} statement${steps > 1 ? "s are" : " is"} applied; ` : ""}later migrations are not applied.${others}`
}

function next({ name, migration }: StateOf<"failed">): string {
  const marks = [
    `lockstep resolve --rolled-back ${name}   when nothing of it is in the database (deploy then runs it again)`,
    `lockstep resolve --applied ${name}       when all of it is`,
  ]
  const resume = `lockstep deploy --resume   when its cause is mended, to go on from the statement that it reached`
  return (migration ? [resume, ...marks] : marks).join("\n")
}

function differences(comparison: Comparison): string[] {
  const notes = comparison.edited.map(({ name }) => `${name} was edited after it was applied`)
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

const indent = (text: string): string => text.replace(/^/gm, "  ")
