import * as z from "zod/mini"
import { someOf } from "../../fleet/outcome.js"
import type { FleetResult } from "../../fleet/run.js"
import type { FleetTarget } from "../../fleet/target.js"
import type { Plan } from "../../plan/planned.js"
import { inLine } from "../../printable.js"
import { errorObject, renderErrorAnswer } from "../error.js"
import type { Style } from "../formats/formats.js"
import { planReport } from "../formats/plan-report.js"
import type { GridRow, Item, Report } from "../formats/report.js"
import { byWeight, type Candidate, canBeApplied, type HazardName, hazardNames, hazardsIn, worstOf } from "../hazards.js"
import type { Picture } from "../html/picture.js"
import { renderPlan } from "../plan.js"
import { planAnswer, planObject } from "../plan-json.js"
import { counted, failureGroupsOf, thousands } from "./deploy.js"
import { failureGroups } from "./json.js"
import { failuresIn, targetOf } from "./results.js"

const count = z.number().check(z.int(), z.gte(0))
const names = z.readonly(z.array(z.string()))

/** What `lockstep plan --targets --json` prints. */
export const fleetPlanAnswer = z.strictObject({
  schema: z.literal("lockstep.fleet-plan/1"),
  ...{ history: z.string(), shard: z.nullable(z.string()), targets: count, upToDate: count },
  /** Databases with the same pending migrations; the plan is that of the worst of them, with its tables' sizes. */
  states: z.readonly(z.array(z.strictObject({ targets: names, worst: z.string(), plan: planAnswer }))),
  /** Databases to which a deploy could not apply it. */
  cannotBeApplied: names,
  /** Of what --fail-on names. */
  refused: z.readonly(z.array(z.enum(hazardNames))),
  failures: failureGroups,
  verdict: z.string(),
})

type FleetPlanAnswer = Readonly<z.infer<typeof fleetPlanAnswer>>

interface State {
  readonly targets: string[]
  worst: { readonly name: string; readonly plan: Plan; readonly candidate: Candidate | undefined }
}

const nothing: Candidate = { weight: 0, rows: 0, text: "" }

/** Collects the plans of a fleet: of each state only the worst is kept. */
export class FleetPlans {
  readonly #states = new Map<string, State>()
  readonly #cannot: string[] = []
  readonly #refused = new Set<HazardName>()
  readonly #rows = new Map<string, GridRow>()
  #places: ReadonlyMap<string, number> = new Map()
  #upToDate = 0

  constructor(private readonly failOn: readonly HazardName[]) {}

  take({ name, group }: FleetTarget, plan: Plan): void {
    for (const hazard of hazardsIn(plan, this.failOn)) this.#refused.add(hazard)
    if (!canBeApplied(plan)) this.#cannot.push(name)
    const { migrations, failed, existingObjects, history } = plan
    const newest = history.findLast((one) => one.state === "applied" || one.state === "edited")?.name ?? null
    const state = canBeApplied(plan) ? (migrations.length === 0 ? "up to date" : "behind") : "cannot be applied"
    this.#rows.set(name, {
      name,
      group: group ?? null,
      state,
      newest,
      pending: migrations.map((one) => one.name),
      failed,
    })
    if (migrations.length === 0 && canBeApplied(plan)) {
      this.#upToDate++
      return
    }
    const pending = migrations.map((migration) => migration.name)
    const key = JSON.stringify([pending, failed, existingObjects !== undefined, plan.basis.basis])
    const candidate = worstOf(migrations)
    const known = this.#states.get(key)
    if (known === undefined) this.#states.set(key, { targets: [name], worst: { name, plan, candidate } })
    else {
      known.targets.push(name)
      if (byWeight(candidate ?? nothing, known.worst.candidate ?? nothing) < 0) known.worst = { name, plan, candidate }
    }
  }

  #place(name: string): number {
    return this.#places.get(name) ?? 0
  }

  get #byWeight(): readonly State[] {
    return [...this.#states.values()].sort((one, other) =>
      byWeight(one.worst.candidate ?? nothing, other.worst.candidate ?? nothing),
    )
  }

  /** The answer for programs. */
  answer(
    { outcomes }: FleetResult<void>,
    facts: { readonly history: string; readonly shard: string | null },
  ): FleetPlanAnswer {
    const failed = outcomes.map((outcome) => {
      const error = "error" in outcome ? errorObject(outcome.error) : null
      return { ...targetOf(outcome.target), state: error === null ? "done" : "failed", error }
    })
    const failures = failuresIn(failed)
    for (const { name, group, error } of failed)
      if (error !== null) this.#rows.set(name, { name, group, state: "unreadable", newest: null })
    // They were taken as they ended.
    this.#places = new Map(outcomes.map(({ target }, place) => [target.name, place]))
    for (const names of [this.#cannot, ...[...this.#states.values()].map((state) => state.targets)])
      names.sort((one, other) => this.#place(one) - this.#place(other))
    const refused = [...this.#refused]
    return {
      ...{ schema: "lockstep.fleet-plan/1", ...facts, targets: outcomes.length, upToDate: this.#upToDate },
      states: this.#byWeight.map(({ targets, worst }) => ({
        ...{ targets, worst: worst.name, plan: planObject(worst.plan, hazardsIn(worst.plan, this.failOn)) },
      })),
      ...{ cannotBeApplied: this.#cannot, refused, failures },
      verdict: this.#verdict(outcomes.length, failures.flatMap((group) => group.targets).length),
    }
  }

  #verdict(targets: number, unreadable: number): string {
    if (targets === 0) return "Nothing to do: no target is in this share of the list."
    if (targets === this.#upToDate) return `Nothing to apply: ${counted(targets, "target")} up to date.`
    const [first] = this.#byWeight
    const { name = "", candidate } = first?.worst ?? {}
    const worst = candidate === undefined ? "" : ` Worst: ${inLine(name)}: ${inLine(candidate.text)}.`
    const parts = [
      `${thousands(targets - this.#upToDate - unreadable)} of ${counted(targets, "target")} behind`,
      `in ${counted(this.#states.size, "state")}`,
      ...(this.#cannot.length > 0 ? [`${thousands(this.#cannot.length)} to which it cannot be applied`] : []),
      ...(unreadable > 0 ? [`${thousands(unreadable)} cannot be read`] : []),
    ]
    const refused = this.#refused.size > 0 ? ` Refused by --fail-on ${[...this.#refused].join(",")}.` : ""
    return `${parts.join(", ")}.${worst}${refused}`
  }

  /** The answer for people: for each state its databases, and the plan with the sizes of the worst. */
  render(answer: FleetPlanAnswer, { paint, columns }: Style): string {
    const sections = this.#byWeight.map(({ targets, worst }) => {
      const which = targets.length === 1 ? "" : `; the worst is ${inLine(worst.name)}`
      const head = paint.bold(`${counted(targets.length, "target")}: ${someOf(targets)}${which}`)
      return `${head}\n${renderPlan(worst.plan, hazardsIn(worst.plan, this.failOn), columns)}\n`
    })
    const unreadable = answer.failures.map(
      ({ error, targets }) => `cannot be read: ${someOf(targets)}\n${renderErrorAnswer(error, paint)}\n`,
    )
    return [...sections, ...unreadable, answer.verdict].join("\n")
  }

  /** The plans as a report: an item a pending migration of each state, and the databases along the folder's migrations. */
  report(answer: FleetPlanAnswer, names: readonly string[]): Report {
    const items = this.#byWeight.flatMap(({ targets, worst }) =>
      planReport(worst.plan, hazardsIn(worst.plan, this.failOn)).items.map((item) => ({
        ...item,
        name: `${item.name} (${someOf(targets)})`,
      })),
    )
    const unread = failureGroupsOf(answer.failures, "the database cannot be read")
    const failed = answer.failures.flatMap(({ targets }) =>
      targets.map((name): Item => ({ name, state: "failed", findings: unread.findingsOf(name), accepted: [] })),
    )
    const rows = [...this.#rows.values()].sort((one, other) => this.#place(one.name) - this.#place(other.name))
    return {
      ...{ command: "plan", verdict: answer.verdict, items: [...items, ...failed] },
      grid: { of: "migration", names, rows },
    }
  }

  /** What a page shows of the state that is worst: what was observed, with the sizes of its worst database. */
  async picture(): Promise<Picture | undefined> {
    const [first] = this.#byWeight
    if (first === undefined) return undefined
    const { planPicture } = await import("../html/pictures/plan.js")
    const { plan, name } = first.worst
    const picture = planPicture(plan)
    const which = `${counted(first.targets.length, "target")}: ${someOf(first.targets)}; shown is ${name}, where it is worst.`
    return { ...picture, subject: undefined, remarks: [which, ...picture.remarks], history: [] }
  }
}
