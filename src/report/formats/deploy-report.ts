import type { Finding } from "../../check/finding.js"
import type { DeployEvent } from "../../deploy/events.js"
import type { LockstepError } from "../../errors.js"
import { asLockstepError, errorObject } from "../error.js"
import type { Picture } from "../html/picture.js"
import type { Item, Report } from "./report.js"

/** Collects what a deploy does, for a report of it. */
export interface DeployRecorder {
  readonly onEvent: (event: DeployEvent) => void
  /** An item a migration that was applied. */
  readonly succeeded: (verdict: string) => Report
  /** The same, and one for what has failed: a migration, or the deploy itself. */
  readonly failed: (reason: unknown) => Failure
  readonly picture: () => Promise<Picture>
}

/** What a deploy did, by the names of migrations. */
export interface DeployCourse {
  readonly planned: readonly string[]
  /** With milliseconds. */
  readonly applied: ReadonlyMap<string, number>
  readonly failed: string | undefined
}

/** What failed, as a report and for programs. */
export interface Failure {
  readonly report: Report
  readonly object: object
  readonly picture?: () => Promise<Picture>
}

/** Begins to collect. `picture`: what a page shows of it, which is asked for where a page is. */
export function deployRecorder(picture: (course: DeployCourse) => Promise<Picture>): DeployRecorder {
  const items: Item[] = []
  let failed: string | undefined
  let planned: readonly string[] = []
  const applied = new Map<string, number>()
  return {
    onEvent: (event) => {
      if (event.event === "planned") planned = [...new Set([...planned, ...event.pending])]
      if (event.event === "failed") failed = event.name
      if (event.event !== "applied") return
      const { name } = event
      applied.set(name, event.durationMs)
      items.push({ name, state: "passed", findings: [], accepted: [], durationMs: Math.round(event.durationMs) })
    },
    picture: () => picture({ planned, applied, failed }),
    succeeded: (verdict) => ({ command: "deploy", verdict, items }),
    failed: (reason) => {
      const error = asLockstepError(reason)
      const finding = findingOf(error, failed)
      const item: Item = { name: failed ?? "deploy", state: "failed", findings: [finding], accepted: [] }
      const verdict = `${finding.title}: ${error.message} (${error.code}).`
      return {
        report: { command: "deploy", verdict, items: [...items, item] },
        object: errorObject(error),
        picture: () => picture({ planned, applied, failed }),
      }
    },
  }
}

function findingOf({ code, message, details }: LockstepError, migration: string | undefined): Finding {
  const { file, line, column, hint, state, next } = details
  return {
    check: code,
    severity: "error",
    title: migration === undefined ? "the deploy failed" : `${migration} failed`,
    message: [message, hint, state && `state: ${state}`].filter(Boolean).join("\n"),
    ...(file === undefined ? {} : { file: file.replaceAll("\\", "/") }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(migration === undefined ? {} : { object: migration }),
    ...(next === undefined ? {} : { next }),
    fixable: false,
    docs: "docs/errors.md",
  }
}
