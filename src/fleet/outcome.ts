import type { LockstepError } from "../errors.js"
import { inLine } from "../printable.js"
import type { FleetTarget } from "./target.js"

/** How it went with one target. `T`: what the work resolves to. Times are milliseconds. */
export type Outcome<T> =
  | { readonly state: "done"; readonly target: FleetTarget; readonly result: T; readonly durationMs: number }
  | {
      readonly state: "failed" | "interrupted"
      readonly target: FleetTarget
      readonly error: LockstepError
      readonly durationMs: number
    }
  /** Nothing was asked of it: the fleet stopped before. */
  | { readonly state: "not started"; readonly target: FleetTarget }
  /** Done by the run that this one resumes. */
  | { readonly state: "done before"; readonly target: FleetTarget }

export type EndedOutcome<T> = Extract<Outcome<T>, { durationMs: number }>

/** Targets that failed for the same reason; the error is the first one's. */
export interface FailureGroup<E> {
  readonly error: E
  readonly targets: readonly string[]
}

/** What tells one reason from another. */
interface Reason {
  readonly code: string
  readonly message: string
  readonly file?: string | undefined
  readonly line?: number | undefined
  readonly sqlstate?: string | undefined
}

interface Failure<E> {
  readonly target: string
  readonly error: E
}

/**
 * Failures by their reason, the most frequent first: the same code, place and message, whatever numbers and whatever
 * names of their own (`names`: a target's database, schema and server) the messages hold.
 */
export function groupFailures<E>(
  failures: readonly Failure<E>[],
  reasonOf: (error: E) => Reason,
  names: (target: string) => readonly string[],
): readonly FailureGroup<E>[] {
  const groups = new Map<string, { error: E; targets: string[] }>()
  for (const { target, error } of failures) {
    const { code, message, file = "", line = 0, sqlstate = "" } = reasonOf(error)
    const key = JSON.stringify([code, file, line, sqlstate, withoutNames(message, names(target))])
    const group = groups.get(key) ?? { error, targets: [] }
    group.targets.push(target)
    groups.set(key, group)
  }
  return [...groups.values()].sort((one, other) => other.targets.length - one.targets.length)
}

/** A name of three letters or less may be an ordinary word: only in quotation marks it is the name. */
function withoutNames(message: string, names: readonly string[]): string {
  let text = message
  // The longest first: one name may be a part of another.
  for (const name of names.toSorted((one, other) => other.length - one.length)) {
    if (name === "") continue
    text = text.replaceAll(`"${name}"`, '"…"')
    const plain = name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
    if (name.length > 3) text = text.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${plain}(?![\\p{L}\\p{N}_])`, "gu"), "…")
  }
  return text.replace(/\d+(?:\.\d+)?/g, "…")
}

/** Some names, and how many more: "tenant_1, tenant_2, tenant_3 and 297 more". */
export function someOf(names: readonly string[], most = 3): string {
  const shown = names.slice(0, most).map(inLine).join(", ")
  return names.length > most ? `${shown} and ${(names.length - most).toLocaleString("en-US")} more` : shown
}
