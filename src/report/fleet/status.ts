import type { Finding } from "../../check/finding.js"
import type { Output } from "../../cli/output.js"
import { someOf } from "../../fleet/outcome.js"
import type { FleetResult } from "../../fleet/run.js"
import { levelsOf, type Standing, type StandingState, statesOf } from "../../fleet/standing.js"
import { inLine } from "../../printable.js"
import { errorObject, renderErrorAnswer } from "../error.js"
import type { Item, Report } from "../formats/report.js"
import { counted, thousands } from "./deploy.js"
import type { FleetStatusAnswer } from "./json.js"
import { failuresIn, targetOf } from "./results.js"

type Result = FleetStatusAnswer["results"][number]

interface Facts {
  readonly history: string
  readonly migrations: readonly string[]
  readonly shard: string | null
}

/** Where a fleet's databases stand, for programs. */
export function fleetStatusOf({ outcomes }: FleetResult<Standing>, facts: Facts): FleetStatusAnswer {
  const results = outcomes.map((outcome): Result => {
    const target = targetOf(outcome.target)
    if (outcome.state === "done") {
      const { ahead: _, drift, ...stands } = outcome.result
      return { ...target, states: statesOf(outcome.result), ...stands, drift: drift ?? null, error: null }
    }
    const error = "error" in outcome ? errorObject(outcome.error) : null
    const none = { newest: null, pending: [], failed: [], edited: [], missing: [], partly: [], drift: null }
    return { ...target, states: ["unreadable"], ...none, error }
  })
  const number = (state: StandingState | "unreadable") => results.filter(({ states }) => states.includes(state)).length
  return {
    ...{ schema: "lockstep.fleet-status/1", ...facts, targets: results.length, upToDate: number("up to date") },
    ...{ behind: number("behind"), failed: number("failed"), edited: number("edited"), drifted: number("drifted") },
    ...{ ahead: number("ahead"), different: number("different"), unreadable: number("unreadable") },
    levels: levelsOf(results.filter(({ states }) => !states.includes("unreadable"))),
    failures: failuresIn(results.map((one) => ({ ...one, state: one.error === null ? "done" : "failed" }))),
    results,
  }
}

/** Whether every database is up to date. */
export const isFleetUpToDate = ({ targets, upToDate }: FleetStatusAnswer): boolean => targets === upToDate

/** The same for people: how many stand where, and by name those with which something is wrong. */
export function renderFleetStatus(answer: FleetStatusAnswer, paint: Output["paint"]): string {
  const { levels, failures, results, targets, migrations } = answer
  if (targets === 0) return verdict(answer)
  const newest = migrations.length === 0 ? "" : `, the newest is ${inLine(migrations.at(-1) ?? "")}`
  const lines = [`${counted(targets, "target")}, ${counted(migrations.length, "migration")}${newest}`]
  for (const { newest: at, pending, targets: those } of levels) {
    const where = at === null ? "without a migration" : `at ${inLine(at)}`
    lines.push(row(those.length, pending === 0 ? where : `${where}, ${thousands(pending)} behind: ${someOf(those)}`))
  }
  lines.push(...byMigration("failed", results, (one) => one.failed))
  lines.push(...byMigration("edited after it was applied", results, (one) => one.edited))
  lines.push(...byMigration("recorded, but missing from the folder", results, (one) => one.missing))
  lines.push(...byMigration("what it replaces is applied in part", results, (one) => one.partly))
  lines.push(...drifted(results))
  for (const { error, targets: those } of failures)
    lines.push(`${row(those.length, `cannot be read: ${someOf(those)}`)}\n${indented(renderErrorAnswer(error, paint))}`)
  return [...lines, verdict(answer)].join("\n")
}

const row = (number: number, what: string): string => `${thousands(number).padStart(6)}  ${what}`
const indented = (text: string): string => text.replace(/^(?=.)/gm, "        ")

/** Migrations with which the same is wrong in some databases. */
function byMigration(
  what: string,
  results: readonly Result[],
  namesOf: (one: Result) => readonly string[],
): readonly string[] {
  const found = new Map<string, string[]>()
  for (const one of results)
    for (const migration of namesOf(one)) found.set(migration, [...(found.get(migration) ?? []), one.name])
  return [...found].map(([migration, those]) => row(those.length, `${what}: ${inLine(migration)}   ${someOf(those)}`))
}

/** Databases that have drifted alike are one. */
function drifted(results: readonly Result[]): readonly string[] {
  const found = new Map<string, string[]>()
  for (const { drift, name } of results) {
    const key = (drift ?? []).map((line) => `          ${inLine(line)}`).join("\n")
    if (key !== "") found.set(key, [...(found.get(key) ?? []), name])
  }
  return [...found].map(([lines, those]) => `${row(those.length, `drifted: ${someOf(those)}`)}\n${lines}`)
}

function verdict(answer: FleetStatusAnswer): string {
  const { targets, upToDate, behind } = answer
  if (targets === 0) return "Nothing to do: no target is in this share of the list."
  if (isFleetUpToDate(answer)) return `Up to date: ${thousands(upToDate)} of ${counted(targets, "target")}.`
  const states = ["behind", "failed", "edited", "drifted", "ahead", "different", "unreadable"] as const
  const others = states.flatMap((state) =>
    answer[state] > 0 ? [`${thousands(answer[state])} ${state === "unreadable" ? "cannot be read" : state}`] : [],
  )
  const next = behind > 0 ? " Apply with: `lockstep deploy --targets …`" : ""
  return `Not up to date: ${thousands(upToDate)} of ${thousands(targets)} up to date, ${others.join(", ")}.${next}`
}

/** The same as a report: an item a database, alike findings grouped, and the grid. */
export function fleetStatusReport(answer: FleetStatusAnswer): Report {
  const { results, migrations } = answer
  const groups = new Map<string, { finding: Finding; items: string[] }>()
  const items = results.map((one): Item => {
    const findings = findingsOf(one)
    for (const finding of findings) {
      const key = `${finding.check} ${finding.message}`
      const group = groups.get(key) ?? { finding, items: [] }
      group.items.push(one.name)
      groups.set(key, group)
    }
    return { name: one.name, state: findings.length === 0 ? "passed" : "failed", findings, accepted: [] }
  })
  const rows = results.map(({ name, group, states: [state = ""], newest, pending, edited, failed, error }) => ({
    ...{ name, group, state, newest },
    ...(error === null ? { pending, edited, failed } : {}),
  }))
  return {
    command: "status",
    verdict: verdict(answer),
    items,
    groups: [...groups.values()],
    grid: { of: "migration", names: migrations, rows },
  }
}

function findingsOf(one: Result): readonly Finding[] {
  const { name, states, error, pending, failed, edited, missing, partly, drift } = one
  const details: Readonly<Record<string, readonly string[]>> = {
    ...{ behind: pending, failed, edited, ahead: missing, different: [...missing, ...partly], drifted: drift ?? [] },
    unreadable: [error === null ? "it was not read." : `${error.code}: ${error.message}`],
  }
  return states
    .filter((state) => state !== "up to date")
    .map((state) => ({
      ...{ check: `fleet/${state}`, severity: "error", title: `a database ${titles[state]}` },
      message: (details[state] ?? []).join("\n"),
      ...{ object: name, fixable: false, docs: "docs/fleet.md" },
    }))
}

const titles: Readonly<Record<Exclude<StandingState, "up to date"> | "unreadable", string>> = {
  behind: "is behind",
  failed: "has a failed migration",
  edited: "has a migration that was edited after it was applied",
  drifted: "has drifted from its history",
  ahead: "is ahead of the folder",
  different: "has migrations that the folder does not have",
  unreadable: "cannot be read",
}
