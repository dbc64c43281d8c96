import type { BackfillFile } from "../../backfill/file.js"
import type { DryRun, Surveyed } from "../../backfill/survey.js"
import type { Output } from "../../cli/output.js"
import { someOf } from "../../fleet/outcome.js"
import type { FleetResult } from "../../fleet/run.js"
import { inLine } from "../../printable.js"
import { amount, backfillListOf, isAllFinished, standingOf } from "../backfill/text.js"
import { errorObject, renderErrorAnswer } from "../error.js"
import type { Item, Report } from "../formats/report.js"
import type { FleetBackfillList, FleetBackfillPlan } from "./backfill-json.js"
import { counted, failureGroupsOf, thousands } from "./deploy.js"
import { failuresIn, targetOf } from "./results.js"

interface Facts {
  readonly history: string
  readonly shard: string | null
  readonly files: readonly BackfillFile[]
}

const errorIn = (outcome: FleetResult<unknown>["outcomes"][number]) =>
  "error" in outcome ? errorObject(outcome.error) : null

const failuresOf = ({ outcomes }: FleetResult<unknown>) =>
  failuresIn(outcomes.map((one) => ({ ...targetOf(one.target), state: "failed", error: errorIn(one) })))

/** Where the backfills of a fleet stand, for programs. */
export function fleetBackfillListOf(
  result: FleetResult<readonly Surveyed[]>,
  { files, ...facts }: Facts,
): FleetBackfillList {
  const results = result.outcomes.map((one) => {
    const backfills = one.state === "done" ? backfillListOf(one.result).backfills : null
    return { ...targetOf(one.target), backfills, error: errorIn(one) }
  })
  const read = results.flatMap(({ backfills }) => (backfills === null ? [] : [backfills]))
  return {
    ...{ schema: "lockstep.fleet-backfill-list/1", ...facts, targets: results.length },
    backfills: files.map(({ name, file }, at) => ({
      ...{ name, file, finished: read.filter((one) => one[at]?.state === "finished").length },
    })),
    finished: read.filter((backfills) => isAllFinished({ backfills })).length,
    unreadable: results.length - read.length,
    ...{ failures: failuresOf(result), results },
  }
}

/** Whether all are finished in every database. */
export const isFleetFinished = ({ targets, finished }: FleetBackfillList): boolean => targets === finished

/** The same for people: each backfill, and the databases in which it is not finished. */
export function renderFleetBackfillList(list: FleetBackfillList, paint: Output["paint"]): string {
  const lines = list.backfills.flatMap(({ name, finished }, at) => {
    const others = new Map<string, string[]>()
    for (const { name: target, backfills } of list.results) {
      const one = backfills?.[at]
      if (one === undefined || one.state === "finished") continue
      others.set(one.state, [...(others.get(one.state) ?? []), target])
    }
    const rest = [...others].map(([state, targets]) => `${row(targets.length, state)}: ${someOf(targets)}`)
    return [inLine(name), ...(finished > 0 ? [row(finished, "finished")] : []), ...rest]
  })
  return [...lines, ...unreadable(list, paint), listVerdict(list)].join("\n")
}

const row = (number: number, what: string): string => `${thousands(number).padStart(6)}  ${what}`

const unreadable = ({ failures }: Pick<FleetBackfillList, "failures">, paint: Output["paint"]) =>
  failures.map(({ error, targets }) => {
    const reason = renderErrorAnswer(error, paint).replace(/^(?=.)/gm, "        ")
    return `${row(targets.length, `cannot be read: ${someOf(targets)}`)}\n${reason}`
  })

function listVerdict(list: FleetBackfillList): string {
  const { targets, finished, unreadable: unread, backfills } = list
  if (targets === 0) return "Nothing to do: no target is in this share of the list."
  if (backfills.length === 0) return "There are no backfills."
  if (isFleetFinished(list)) return `Finished: ${thousands(finished)} of ${counted(targets, "target")}.`
  const left = targets - finished - unread
  const cannot = unread > 0 ? `, ${thousands(unread)} cannot be read` : ""
  if (left === 0) return `Not known: ${thousands(unread)} of ${counted(targets, "target")} cannot be read.`
  return `Not finished: ${thousands(left)} of ${counted(targets, "target")}${cannot}. Run them with: \`lockstep backfill --targets …\``
}

/** The same as a report: an item a database, and the grid. */
export function fleetBackfillListReport(list: FleetBackfillList): Report {
  const stateOf = ({ backfills }: FleetBackfillList["results"][number]) => {
    if (backfills === null) return "unreadable"
    return isAllFinished({ backfills }) ? "finished" : "not finished"
  }
  const failed = failureGroupsOf(list.failures, "the backfills cannot be read")
  return {
    command: "backfill",
    verdict: listVerdict(list),
    items: list.results.map((one): Item => {
      const { name, backfills, error } = one
      const none = { name, findings: [], accepted: [] }
      if (error !== null || backfills === null) return { ...none, state: "failed", findings: failed.findingsOf(name) }
      if (isAllFinished({ backfills })) return { ...none, state: "passed" }
      const left = backfills.filter(({ state }) => state !== "finished")
      const each = left.map((one) => `${one.name}: ${standingOf(one)}`)
      return { ...none, state: "skipped", skipped: each.join("; ") }
    }),
    groups: failed.groups,
    grid: {
      of: "backfill",
      names: list.backfills.map(({ name }) => name),
      rows: list.results.map((one) => {
        const { name, group, backfills } = one
        const namesOf = (isFinished: boolean) =>
          (backfills ?? []).flatMap(({ name, state }) => ((state === "finished") === isFinished ? [name] : []))
        const pending = backfills === null ? {} : { pending: namesOf(false) }
        return { name, group, state: stateOf(one), newest: namesOf(true).at(-1) ?? null, ...pending }
      }),
    },
  }
}

/** What a run of backfills would do in a fleet, for programs. */
export function fleetBackfillPlanOf(
  result: FleetResult<readonly DryRun[]>,
  { files, ...facts }: Facts,
): FleetBackfillPlan {
  const planned = result.outcomes.flatMap((one) =>
    one.state === "done" ? one.result.map((plan) => ({ target: one.target.name, plan })) : [],
  )
  return {
    ...{ schema: "lockstep.fleet-backfill-plan/1", ...facts, targets: result.outcomes.length },
    backfills: files.flatMap(({ name, file }) => {
      const those = planned.filter(({ plan }) => plan.name === name)
      const [first] = those.toSorted((one, other) => other.plan.estimated - one.plan.estimated)
      if (first === undefined) return []
      const sum = (of: (plan: DryRun) => number) => those.reduce((total, { plan }) => total + of(plan), 0)
      const { table, key, estimated, sql = null } = first.plan
      return {
        ...{ name, file, targets: those.map(({ target }) => target) },
        ...{ estimated: sum((plan) => plan.estimated), atLeastBatches: sum(({ batches }) => batches) },
        largest: { name: first.target, table, key, estimated, sql },
      }
    }),
    failures: failuresOf(result),
  }
}

/** The same for people: in how many databases, and the next batch of the largest. */
export function renderFleetBackfillPlan(plan: FleetBackfillPlan, paint: Output["paint"]): string {
  const sections = plan.backfills.map(({ name, targets, estimated, atLeastBatches, largest }) => {
    const all = `about ${amount(estimated, "row")} in at least ${amount(atLeastBatches, "batch")}`
    const head = `${inLine(name)}   ${counted(targets.length, "target")}: ${someOf(targets)}; ${all}`
    const most = `  ${inLine(largest.name)}: ${inLine(largest.table)}, about ${amount(largest.estimated, "row")}, by ${inLine(largest.key)}`
    const sql = largest.sql === null ? "" : `${largest.sql.replace(/^(?=.)/gm, "    ")};\n`
    return `${head}\n${most}\n${sql}`
  })
  return [...sections, ...unreadable(plan, paint), planVerdict(plan)].join("\n")
}

function planVerdict({ targets, backfills, failures }: FleetBackfillPlan): string {
  if (targets === 0) return "Nothing to do: no target is in this share of the list."
  const unread = failures.reduce((sum, group) => sum + group.targets.length, 0)
  const cannot = unread > 0 ? ` ${counted(unread, "target")} cannot be read.` : ""
  if (backfills.length === 0)
    return unread > 0 ? cannot.trim() : `Nothing to do: every backfill is finished in ${counted(targets, "target")}.`
  const those = new Set(backfills.flatMap((one) => one.targets)).size
  return `${counted(backfills.length, "backfill")} to run in ${thousands(those)} of ${counted(targets, "target")}. Nothing was changed.${cannot}`
}

/** The same as a report: an item a backfill that would run. */
export function fleetBackfillPlanReport(plan: FleetBackfillPlan): Report {
  const failed = failureGroupsOf(plan.failures, "the backfills cannot be read")
  const none = { findings: [], accepted: [] }
  return {
    command: "backfill",
    verdict: planVerdict(plan),
    items: [
      ...plan.backfills.map(({ name, targets, estimated }): Item => {
        const skipped = `${counted(targets.length, "target")}, about ${amount(estimated, "row")}`
        return { ...none, name, state: "skipped", skipped }
      }),
      ...plan.failures.flatMap(({ targets }) =>
        targets.map((name): Item => ({ ...none, name, state: "failed", findings: failed.findingsOf(name) })),
      ),
    ],
    groups: failed.groups,
  }
}
