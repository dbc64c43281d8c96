import type { BackfillFile } from "../../../backfill/file.js"
import type { DatabaseUrl } from "../../../postgres/url.js"
import type { BackfillList, BackfillPlan } from "../../backfill/json.js"
import type { BackfillCourse } from "../../backfill/run.js"
import { amount } from "../../backfill/text.js"
import { duration } from "../../deploy.js"
import { emptyPicture, type Picture, type ShownBackfill } from "../picture.js"
import { subjectOf } from "./history.js"

/** What pages of backfills are about. */
export interface PicturedBackfills {
  readonly url: DatabaseUrl
  readonly backfills: readonly BackfillFile[]
}

const pictureOf = ({ url }: PicturedBackfills, backfills: readonly ShownBackfill[]): Picture => {
  const finished = backfills.filter(({ state }) => state === "finished").length
  const tone = finished === backfills.length ? "good" : "info"
  const facts = [{ label: "Finished", value: `${finished} of ${backfills.length}`, tone }] as const
  return { ...emptyPicture, subject: subjectOf(url), facts, backfills }
}

const changed = (rows: number, batches: number): string =>
  `${amount(rows, "row")} changed in ${amount(batches, "batch")}`

const walkedOf = (walked: number, estimated: number): string =>
  `${amount(walked, "row")} of about ${amount(Math.max(walked, estimated), "row")} walked`

/** The picture of a list: how far each backfill is. */
export function backfillListPicture(about: PicturedBackfills, { backfills }: BackfillList): Picture {
  const texts = new Map(about.backfills.map(({ name, text }) => [name, text]))
  const shown = backfills.map((one): ShownBackfill => {
    const { name, file, state, rows, walked, batches, estimated, edited, error } = one
    const notes = [
      ...(batches > 0 ? [changed(rows, batches)] : []),
      ...(batches > 0 && state !== "finished" ? [walkedOf(walked, estimated)] : []),
      ...(edited ? ["edited since it began"] : []),
      ...(error === null ? [] : [`stopped: ${error}`]),
    ]
    return { name, file, state, walked, estimated, notes, sql: texts.get(name) ?? "" }
  })
  return pictureOf(about, shown)
}

/** The picture of what would be run: the statement of each next batch. */
export function backfillPlanPicture(about: PicturedBackfills, { backfills }: BackfillPlan): Picture {
  const shown = backfills.map((one): ShownBackfill => {
    const { name, file, state, walked, estimated, table, key, atLeastBatches, sql } = one
    const left = `about ${amount(estimated, "row")} left, at least ${amount(atLeastBatches, "batch")}`
    const notes = [`${table}, by ${key}`, left]
    return { name, file, state, walked, estimated: walked + estimated, notes, sql: sql ?? "-- the table has no row" }
  })
  return pictureOf(about, shown)
}

/** The picture of a run: what it did, and where it stopped. */
export function backfillRunPicture(about: PicturedBackfills, course: BackfillCourse): Picture {
  const stopped = about.backfills.findIndex(({ name }) => name === course.failed)
  const shown = about.backfills.map(({ name, file, text }, at): ShownBackfill => {
    const known = course.steps.get(name)
    const base = { name, file, sql: text }
    // They are run in their order: what was not begun, and comes before the one that stopped, was finished before.
    if (known === undefined && (course.isWhole || at < stopped))
      return { ...base, state: "finished", walked: 0, estimated: undefined, notes: ["finished before"] }
    if (known === undefined) return { ...base, state: "not started", walked: 0, estimated: undefined, notes: [] }
    const { rows, walked, batches, estimated, durationMs } = known
    if (durationMs !== undefined)
      return { ...base, state: "finished", walked, estimated, notes: [changed(rows, batches), duration(durationMs)] }
    if (course.failed === name)
      return {
        ...base,
        state: "failed",
        walked,
        estimated,
        notes: [changed(rows, batches), walkedOf(walked, estimated)],
      }
    // How many rows an interrupted one has changed since it was last reported is in the message alone.
    return { ...base, state: "unfinished", walked, estimated, notes: [] }
  })
  return pictureOf(about, shown)
}
