import type { BackfillResult } from "../../backfill/context.js"
import type { BackfillEvent } from "../../backfill/events.js"
import type { Finding } from "../../check/finding.js"
import type { Output } from "../../cli/output.js"
import { thisCaller, typedCommands } from "../../cli/typed-commands.js"
import { inLine } from "../../printable.js"
import { duration } from "../deploy.js"
import { asLockstepError } from "../error.js"
import type { Item, Report } from "../formats/report.js"
import { amount, counted } from "./text.js"

/** How often a log without a terminal has a line of progress, in milliseconds. */
const everyMs = 10_000

/** Reports backfills as they run: narration on stderr, or with --json one object a line on stdout. */
export function backfillReporter(output: Output): (event: BackfillEvent) => void {
  const { say, live, paint } = output
  let reported = performance.now()
  return (event) => {
    const named = event.event === "note" ? { ...event, text: typedCommands(event.text, thisCaller) } : event
    output.object({ schema: "lockstep.backfill/1", at: new Date().toISOString(), ...named })
    if (event.event === "progress" && output.terminal) return live(`  ..    ${progressText(event)}`)
    if (event.event === "progress") {
      if (performance.now() - reported < everyMs) return
      reported = performance.now()
    }
    const line = lineOf(event, paint)
    if (line !== undefined) say(line)
  }
}

function lineOf(event: BackfillEvent, paint: Output["paint"]): string | undefined {
  switch (event.event) {
    case "began":
      return `lockstep ${event.version}, ${counted(event.backfills.length, "backfill")} -> ${inLine(`${event.host}:${event.port}/${event.database}`)}`
    case "note":
      return `  ${paint.yellow("note")}  ${inLine(event.text)}`
    case "waiting-for-database":
      return `waiting for the database (${duration(event.waitedMs)}): ${inLine(event.reason)}`
    case "started": {
      const { name, table, key, rows, walked, estimated } = event
      const before = walked > 0 ? `; ${amount(rows, "row")} changed before` : ""
      return `  ..    ${inLine(name)}   ${inLine(table)}, about ${amount(estimated, "row")}, by ${inLine(key)}${before}`
    }
    case "waiting-for-lock":
    case "waiting-for-replica":
    case "retry":
    case "progress":
      return `  ..    ${doingOf(event)}`
    case "finished": {
      const { name, rows, batches, durationMs } = event
      return `  ${paint.green("ok")}    ${inLine(name)}   ${amount(rows, "row")} changed in ${amount(batches, "batch")}, ${duration(durationMs)}`
    }
    case "failed":
      return `${paint.red("FAIL")}    ${inLine(event.name)}\n`
  }
}

/** What a backfill does now, in a line; undefined where it is nothing that lasts. */
export function doingOf(event: BackfillEvent): string | undefined {
  switch (event.event) {
    case "waiting-for-database":
      return `waiting for the database (${duration(event.waitedMs)}): ${inLine(event.reason)}`
    case "waiting-for-lock":
      return `${inLine(event.name)}: run by ${inLine(event.holder ?? "another session")}, waiting for it`
    case "waiting-for-replica":
      return `${inLine(event.name)}: ${inLine(event.replica)} is ${duration(event.lagMs)} behind, waiting for it`
    case "retry":
      return `${event.name === undefined ? "" : `${inLine(event.name)}: `}retry ${event.attempt} of ${event.of} in ${duration(event.delayMs)}: ${inLine(event.reason)}`
    case "progress":
      return progressText(event)
    case "started":
      return inLine(event.name)
    default:
      return undefined
  }
}

function progressText(event: Extract<BackfillEvent, { event: "progress" }>): string {
  const { name, walked, estimated, rowsPerSecond, batchRows, leftMs } = event
  const left = leftMs === undefined ? "" : `, about ${duration(Math.max(1000, leftMs))} left`
  return `${inLine(name)}   ${amount(walked, "row")} of about ${amount(Math.max(estimated, walked), "row")}, ${amount(rowsPerSecond, "row")}/s in batches of ${amount(batchRows, "row")}${left}`
}

/** The last line. */
export function backfillVerdict({ finished, finishedBefore, durationMs }: BackfillResult): string {
  if (finished.length + finishedBefore.length === 0) return "Nothing to do: there are no backfills."
  const before = finishedBefore.length > 0 ? `${counted(finishedBefore.length, "backfill")} finished before` : ""
  if (finished.length === 0) return `Nothing to do: ${before}.`
  return `${counted(finished.length, "backfill")} finished in ${duration(durationMs)}${before === "" ? "" : `; ${before}`}.`
}

/** How far one backfill came in a run. */
interface Step {
  readonly rows: number
  readonly walked: number
  readonly batches: number
  readonly estimated: number
  /** Undefined where it is not finished. */
  readonly durationMs: number | undefined
}

/** What a run has done, by the names of the backfills that it began. */
export interface BackfillCourse {
  readonly steps: ReadonlyMap<string, Step>
  /** The one that failed. */
  readonly failed: string | undefined
  /** Whether all are finished. */
  readonly isWhole: boolean
}

/** Collects what a run does, for a report of it: an item a backfill. */
export function backfillRecorder() {
  const steps = new Map<string, Step>()
  let failed: string | undefined
  let isWhole = false
  const items = () =>
    [...steps].flatMap(([name, { durationMs }]): readonly Item[] =>
      durationMs === undefined ? [] : [{ name, state: "passed", findings: [], accepted: [], durationMs }],
    )
  return {
    onEvent: (event: BackfillEvent): void => {
      if (event.event === "failed") {
        failed = event.name
        steps.set(event.name, { ...event, estimated: steps.get(event.name)?.estimated ?? 0, durationMs: undefined })
      }
      if (event.event === "started") steps.set(event.name, { ...event, batches: 0, durationMs: undefined })
      if (event.event === "progress") steps.set(event.name, { ...event, durationMs: undefined })
      if (event.event === "finished") steps.set(event.name, { ...event, estimated: event.walked })
    },
    course: (): BackfillCourse => ({ steps, failed, isWhole }),
    succeeded: (verdict: string): Report => {
      isWhole = true
      return { command: "backfill", verdict, items: items() }
    },
    failed: (reason: unknown): Report => {
      const finding = findingOf(reason, failed)
      const item: Item = { name: failed ?? "backfill", state: "failed", findings: [finding], accepted: [] }
      return {
        command: "backfill",
        verdict: `${finding.title}: ${finding.message.split("\n")[0]} (${finding.check}).`,
        items: [...items(), item],
      }
    },
  }
}

function findingOf(reason: unknown, backfill: string | undefined): Finding {
  const { code, message, details } = asLockstepError(reason)
  const { file, line, column, hint, state, next } = details
  return {
    ...{ check: code, severity: "error", title: backfill === undefined ? "the backfill failed" : `${backfill} failed` },
    message: [message, hint, state && `state: ${state}`].filter(Boolean).join("\n"),
    ...(file === undefined ? {} : { file: file.replaceAll("\\", "/") }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    ...(backfill === undefined ? {} : { object: backfill }),
    ...(next === undefined ? {} : { next }),
    ...{ fixable: false, docs: "docs/errors.md" },
  }
}
