import type { Result } from "../check/finding.js"
import type { Folder } from "../history/folder.js"
import type { RecordedRow } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import type { Target } from "../project/database-url.js"
import type { Project } from "../project/project.js"

/** Something that goes wrong sooner or later, and what to do about it. */
export interface Problem {
  /** What is so, and what will go wrong because of it. */
  readonly message: string
  /** What to do or to type; commands stand in backticks. */
  readonly next?: string | undefined
}

/** How an examination ended. */
export type Outcome =
  | { readonly state: "passed" }
  | { readonly state: "warned" | "failed"; readonly problems: readonly Problem[] }
  | { readonly state: "skipped"; readonly reason: string }

/** What every examination gets. */
export interface ProjectContext {
  readonly project: Project
  /** undefined where it cannot be read, which another examination reports. */
  readonly folder: Folder | undefined
}

/** What the examinations of a database get as well. */
export interface DatabaseContext extends ProjectContext {
  readonly target: Target
  readonly client: Client
  /** undefined where there is no history table. */
  readonly recorded: readonly RecordedRow[] | undefined
}

/** One question about a project or its database. */
export interface Examination<C extends ProjectContext> {
  readonly id: `${string}/${string}`
  /** What holds where it passes. */
  readonly title: string
  /** What goes wrong where it does not hold, in a sentence or two. */
  readonly why: string
  examine(context: C): Promise<Outcome> | Outcome
}

export const passed: Outcome = { state: "passed" }
export const skipped = (reason: string): Outcome => ({ state: "skipped", reason })
export const failed = (...problems: readonly Problem[]): Outcome => ({ state: "failed", problems })
export const warned = (...problems: readonly Problem[]): Outcome => ({ state: "warned", problems })

/** Failed with these problems; passed where there are none. */
export const failedWith = (problems: readonly Problem[]): Outcome =>
  problems.length > 0 ? failed(...problems) : passed

/** An outcome as the results of checks are printed. */
export function resultOf(
  { id, title }: Pick<Examination<never>, "id" | "title">,
  outcome: Outcome,
  durationMs: number,
): Result {
  const of = { check: id, title }
  switch (outcome.state) {
    case "skipped":
      return { state: "skipped", ...of, reason: outcome.reason }
    case "passed":
      return { state: "passed", ...of, durationMs, accepted: [] }
    case "warned":
    case "failed":
      return {
        state: outcome.state,
        ...of,
        durationMs,
        accepted: [],
        findings: outcome.problems.map(({ message, next }) => ({
          ...of,
          severity: outcome.state === "failed" ? "error" : "warning",
          message,
          ...(next === undefined ? {} : { next }),
          fixable: false,
          docs: `docs/doctor.md#${id.replace("/", "")}`,
        })),
      }
  }
}

/** A list of names that stays readable: the first ones, and how many more. */
export function few(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(", ")
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown
}
