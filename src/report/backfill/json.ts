import * as z from "zod/mini"
import { backfillEvent } from "../../backfill/events.js"

const count = z.number().check(z.int(), z.gte(0))
const ms = z.number().check(z.gte(0))
const text = z.nullable(z.string())
const names = z.readonly(z.array(z.string()))
const time = z.iso.datetime({ precision: 3 })
const schema = z.literal("lockstep.backfill/1")

const surveyed = {
  name: z.string(),
  file: z.string(),
  state: z.enum(["not started", "running", "unfinished", "finished"]),
  /** Whether the file was edited since it began. */
  edited: z.boolean(),
  /** Rows that were changed, of those that were walked; about how many the table had. */
  ...{ rows: count, walked: count, batches: count },
  ...{ startedAt: z.nullable(time), finishedAt: z.nullable(time), error: text },
}

/** Where one backfill stands in a database. */
export const listedBackfill = z.strictObject({ ...surveyed, estimated: count })

/** What `lockstep backfill --list --json` prints. */
const backfillList = z.strictObject({
  schema: z.literal("lockstep.backfill-list/1"),
  backfills: z.readonly(z.array(listedBackfill)),
})

/** What `lockstep backfill --dry-run --json` prints. */
const backfillPlan = z.strictObject({
  schema: z.literal("lockstep.backfill-plan/1"),
  /** `key`: the columns by which the table is walked; `estimated`: about how many rows are left; `sql`: of the next batch. */
  backfills: z.readonly(
    z.array(
      z.strictObject({
        ...surveyed,
        table: z.string(),
        key: z.string(),
        estimated: count,
        atLeastBatches: count,
        sql: text,
      }),
    ),
  ),
})

export type BackfillList = Readonly<z.infer<typeof backfillList>>
export type BackfillPlan = Readonly<z.infer<typeof backfillPlan>>

const backfilled = z.strictObject({
  ...{ schema, event: z.literal("done"), finished: names, finishedBefore: names, durationMs: ms },
})

/** What `lockstep backfill` prints with --json, by the `schema` that each object carries; a run one object a line. */
export const backfillAnswers = {
  "lockstep.backfill/1": z.union([
    ...backfillEvent.def.options.map(({ shape }) => z.strictObject({ schema, at: time, ...shape })),
    backfilled,
  ]),
  "lockstep.backfill-list/1": backfillList,
  "lockstep.backfill-plan/1": backfillPlan,
} as const
