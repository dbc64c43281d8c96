import { writeFileSync } from "node:fs"
import { createColors } from "picocolors"
import type { Finding } from "../../check/finding.js"
import { forPeople, type Output } from "../../cli/output.js"
import { someOf } from "../../fleet/outcome.js"
import { byName } from "../../history/folder.js"
import { inLine } from "../../printable.js"
import { duration } from "../deploy.js"
import { renderErrorAnswer } from "../error.js"
import type { Item, Report } from "../formats/report.js"
import type { ErrorAnswer } from "../schemas.js"
import type { FleetSummary, TargetResult } from "./json.js"
import { isComplete } from "./results.js"

/** 1,000 as people read it. */
export const thousands = (count: number): string => count.toLocaleString("en-US")

/** "1,000 targets". */
export const counted = (count: number, noun: string): string => `${thousands(count)} ${noun}${count === 1 ? "" : "s"}`

/** How the work on a fleet ended, for people: each reason of a failure once, what was interrupted, the verdict. */
export function renderFleet(summary: FleetSummary, paint: Output["paint"]): string {
  const interrupted = summary.results.filter(({ state }) => state === "interrupted")
  return [
    ...summary.failures.map(
      ({ error, targets }) => `${renderErrorAnswer(error, paint)}\n  ${paint.bold("in:")}     ${inTargets(targets)}\n`,
    ),
    ...interrupted.map(
      ({ name, error }) => `  interrupted  ${inLine(name)}   ${inLine(error?.state ?? "its state is not known.")}`,
    ),
    fleetVerdict(summary),
  ].join("\n")
}

const inTargets = (names: readonly string[]): string =>
  names.length === 1 ? someOf(names) : `${thousands(names.length)} targets: ${someOf(names)}`

/** The last lines: how many are up to date, and where they are not all, why it stopped and what to do. */
function fleetVerdict(summary: FleetSummary): string {
  const { targets, done, changed, durationMs } = summary
  if (targets === 0) return "Nothing to do: no target is in this share of the list."
  if (isComplete(summary)) {
    const what = changed === 0 ? "nothing to do" : `${thousands(changed)} changed`
    return `${summary.command === "backfill" ? "Finished" : "Up to date"}: ${thousands(done)} of ${counted(targets, "target")}, ${what}, in ${duration(durationMs)}.`
  }
  return `${whyStopped(summary)}${counts(summary)}\n  next:   ${nextStep(summary)}`
}

function whyStopped({ stopped, failed }: FleetSummary): string {
  if (stopped === "failures") return `Stopped: ${counted(failed, "failure")}, more than --max-failures allows. `
  if (stopped === "signal") return "Interrupted. "
  return stopped === "wave" ? "Stopped between two waves: the next was not confirmed. " : ""
}

function counts({ command, targets, done, failed, interrupted, notStarted, notKnown }: FleetSummary): string {
  const others = [
    ...(notStarted > 0 ? [`${thousands(notStarted)} not started`] : []),
    ...(interrupted > 0 ? [`${thousands(interrupted)} interrupted`] : []),
    ...(notKnown > 0 ? [`${thousands(notKnown)} not known`] : []),
    ...(failed > 0 ? [`${thousands(failed)} failed`] : []),
  ]
  return `${[`${thousands(done)} of ${thousands(targets)} ${command === "backfill" ? "finished" : "up to date"}`, ...others].join(", ")}.`
}

function nextStep({ stopped, done, runFile, results }: FleetSummary): string {
  const failed = results.flatMap(({ name, state }) => (state === "failed" ? [name] : []))
  const skip =
    runFile === null || done === 0
      ? ""
      : `, with --resume-run ${runFile} to skip the ${thousands(done)} that ${done === 1 ? "is" : "are"} done`
  if (failed.length > 0) return `fix ${someOf(failed)}, then run the same command again${skip}`
  if (stopped === "wave")
    return `look at what was done, then run the same command again${skip}; --yes begins each wave without asking`
  return `run the same command again${skip}`
}

/**
 * The work on a fleet as a report: an item a target, and each reason of a failure once. `names`: of the migrations or
 * backfills, in their order; where they are not known, those that the results name.
 */
export function fleetReport(summary: FleetSummary, names: readonly string[]): Report {
  const { command = "deploy", failures, results } = summary
  return {
    command,
    verdict: fleetVerdict(summary).split("\n")[0] ?? "",
    items: results.map((one) => itemOf(one, command)),
    groups: failures.map(({ error, targets }) => ({
      finding: findingOf(
        error,
        `the ${command} of ${targets.length === 1 ? targets[0] : counted(targets.length, "target")} failed`,
        targets[0] ?? "",
      ),
      items: targets,
    })),
    grid: {
      of: command === "backfill" ? "backfill" : "migration",
      names: names.length > 0 ? names : namesIn(results),
      rows: results.map(({ name, group, state, newest }) => ({ name, group, state, newest })),
    },
  }
}

const namesIn = (results: readonly TargetResult[]): readonly string[] =>
  [...new Set(results.flatMap(({ applied, newest }) => [...applied, ...(newest === null ? [] : [newest])]))].sort(
    byName,
  )

/** Failures as findings: once for all targets that have it alike, and of each target. */
export function failureGroupsOf(failures: FleetSummary["failures"], title: string) {
  const groups = failures.map(({ error, targets }) => ({
    finding: findingOf(error, title, targets[0] ?? ""),
    items: targets,
  }))
  const findingsOf = (target: string): readonly Finding[] =>
    groups.flatMap(({ finding, items }) => (items.includes(target) ? [{ ...finding, object: target }] : []))
  return { groups, findingsOf }
}

function itemOf({ name, state, error, durationMs }: TargetResult, command: string): Item {
  const time = durationMs === null ? {} : { durationMs }
  if (state === "done" || state === "done before") return { name, state: "passed", findings: [], accepted: [], ...time }
  if (error === null) return { name, state: "skipped", findings: [], accepted: [], skipped: state, ...time }
  return {
    name,
    state: "failed",
    findings: [findingOf(error, `the ${command} of ${name} failed`, name)],
    accepted: [],
    ...time,
  }
}

function findingOf(error: ErrorAnswer, title: string, target: string): Finding {
  const { code, message, file, line, column, hint, state, next } = error
  return {
    check: code,
    severity: "error",
    title,
    message: [message, hint, state && `state: ${state}`].filter(Boolean).join("\n"),
    ...(file === undefined ? {} : { file: file.replaceAll("\\", "/") }),
    ...(line === undefined ? {} : { line }),
    ...(column === undefined ? {} : { column }),
    object: target,
    ...(next === undefined ? {} : { next }),
    fixable: false,
    docs: "docs/errors.md",
  }
}

/** The same of several processes, of which some have left no result: nobody knows what became of those shares. */
export function withMissingShards(report: Report, shards: readonly string[]): Report {
  if (shards.length === 0) return report
  const finding: Finding = {
    ...{ check: "fleet/share", severity: "error", title: "a share of the list has no result" },
    message: missingShardsLine(shards),
    ...{ next: "add the logs of its pods", fixable: false, docs: "docs/fleet.md" },
  }
  return {
    ...report,
    verdict: `${missingShardsLine(shards)} ${report.verdict}`,
    items: [
      ...report.items,
      ...shards.map((shard): Item => ({ name: `share ${shard}`, state: "failed", findings: [finding], accepted: [] })),
    ],
    groups: [...(report.groups ?? []), { finding, items: shards.map((shard) => `share ${shard}`) }],
  }
}

/** Which shares have no result. */
export const missingShardsLine = (shards: readonly string[]): string =>
  `There are no results of the ${shards.length === 1 ? "share" : "shares"} ${shards.join(", ")}.`

/** What Kubernetes keeps of a container's message. Source: its documentation, "Determine the Reason for Pod Failure". */
const mostBytes = 4096
const cut = "\n(cut)"

/** How a fleet's deploy ended, in at most 4096 bytes: the share and the verdict first, then the failures by reason. */
export function terminationMessage(summary: FleetSummary): string {
  const verdict = fleetVerdict(summary)
  const failures = renderFleet(summary, createColors(false)).slice(0, -verdict.length).trimEnd()
  const share = summary.shard === null ? "" : `share ${summary.shard}: `
  const whole = Buffer.from(forPeople(`${share}${verdict}${failures === "" ? "" : `\n${failures}`}`))
  if (whole.length <= mostBytes) return whole.toString()
  // A character that the cut has divided is left out.
  return `${new TextDecoder().decode(whole.subarray(0, mostBytes - cut.length), { stream: true })}${cut}`
}

/** Writes it to where Kubernetes looks for it. What cannot be written is said to `complain`: the deploy is done. */
export function writeTerminationMessage(file: string, summary: FleetSummary, complain: (text: string) => void): void {
  try {
    writeFileSync(file, terminationMessage(summary))
  } catch (error) {
    complain(`the termination message cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
}
