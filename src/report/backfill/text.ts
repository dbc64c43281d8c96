import type { DryRun, Surveyed } from "../../backfill/survey.js"
import { inLine } from "../../printable.js"
import type { Item, Report } from "../formats/report.js"
import type { BackfillList, BackfillPlan } from "./json.js"

/** "1,000 rows". */
export const amount = (count: number, noun: string): string =>
  `${count.toLocaleString("en-US")} ${count === 1 ? noun : noun === "batch" ? "batches" : `${noun}s`}`

/** "2 backfills". */
export const counted = amount

const surveyedOf = ({ name, file, state, isEdited, recorded }: Surveyed) => ({
  ...{ name, file, state, edited: isEdited },
  ...{ rows: recorded?.rows ?? 0, walked: recorded?.walked ?? 0, batches: recorded?.batches ?? 0 },
  ...{
    startedAt: recorded?.startedAt ?? null,
    finishedAt: recorded?.finishedAt ?? null,
    error: recorded?.error ?? null,
  },
})

/** Where backfills stand, for programs. */
export const backfillListOf = (surveyed: readonly Surveyed[]): BackfillList => ({
  schema: "lockstep.backfill-list/1",
  backfills: surveyed.map((one) => ({ ...surveyedOf(one), estimated: one.recorded?.estimated ?? 0 })),
})

/** What a run would do, for programs. */
export const backfillPlanOf = (plans: readonly DryRun[]): BackfillPlan => ({
  schema: "lockstep.backfill-plan/1",
  backfills: plans.map((one) => ({
    ...surveyedOf(one),
    ...{ table: one.table, key: one.key, estimated: one.estimated, atLeastBatches: one.batches, sql: one.sql ?? null },
  })),
})

type Listed = BackfillList["backfills"][number]

/** The same for people, and the verdict in the last line. */
export function renderBackfillList({ backfills }: BackfillList): string {
  const widest = Math.max(0, ...backfills.map(({ name }) => name.length))
  const rows = backfills.map((one) => `  ${inLine(one.name).padEnd(widest)}   ${standingOf(one)}`)
  return [...rows, listVerdict(backfills)].join("\n")
}

/** The same in words. */
export function standingOf({ state, rows, walked, estimated, batches, finishedAt, edited, error }: Listed): string {
  const changed = `${amount(rows, "row")} changed in ${amount(batches, "batch")}`
  const parts = [
    state === "finished" ? `finished ${finishedAt?.slice(0, 10)}, ${changed}` : state,
    ...(state !== "finished" && batches > 0
      ? [`${changed}, walked ${walked.toLocaleString("en-US")} of about ${estimated.toLocaleString("en-US")}`]
      : []),
    ...(edited ? [state === "finished" ? "edited since" : "edited since it began"] : []),
    ...(error === null ? [] : [`stopped: ${error}`]),
  ]
  return inLine(parts.join("; "))
}

const listVerdict = (backfills: readonly Listed[]): string => {
  const left = backfills.filter(({ state }) => state !== "finished").length
  if (backfills.length === 0) return "There are no backfills."
  return left === 0
    ? `Finished: ${backfills.length} of ${amount(backfills.length, "backfill")}.`
    : `Not finished: ${left} of ${amount(backfills.length, "backfill")}. Run ${left === 1 ? "it" : "them"} with: \`lockstep backfill\``
}

/** Whether all are finished. */
export const isAllFinished = ({ backfills }: { readonly backfills: readonly Pick<Listed, "state">[] }): boolean =>
  backfills.every(({ state }) => state === "finished")

/** The same as a report: an item a backfill. */
export const backfillListReport = (list: BackfillList): Report => ({
  command: "backfill",
  verdict: listVerdict(list.backfills),
  items: list.backfills.map((one): Item => {
    const isFinished = one.state === "finished"
    const skipped = isFinished ? {} : { skipped: standingOf(one) }
    return { name: one.name, state: isFinished ? "passed" : "skipped", findings: [], accepted: [], ...skipped }
  }),
})

/** What a run would do, for people. */
export function renderBackfillPlan({ backfills }: BackfillPlan): string {
  const sections = backfills.map(({ name, table, key, estimated, atLeastBatches, sql, state }) => {
    const head = `${inLine(name)}   ${inLine(table)}, about ${amount(estimated, "row")}${state === "not started" ? "" : " left"}, by ${inLine(key)}, at least ${amount(atLeastBatches, "batch")}`
    return sql === null ? `${head}\n` : `${head}\n${sql.replace(/^(?=.)/gm, "    ")};\n`
  })
  return [...sections, planVerdict(backfills.length)].join("\n")
}

const planVerdict = (count: number): string =>
  count === 0
    ? "Nothing to do: every backfill is finished."
    : `${amount(count, "backfill")} to run. Nothing was changed.`

/** The same as a report: an item a backfill that would run. */
export const backfillPlanReport = ({ backfills }: BackfillPlan): Report => ({
  command: "backfill",
  verdict: planVerdict(backfills.length),
  items: backfills.map(({ name, table, estimated }): Item => {
    return {
      name,
      state: "skipped",
      findings: [],
      accepted: [],
      skipped: `${table}, about ${amount(estimated, "row")}`,
    }
  }),
})
