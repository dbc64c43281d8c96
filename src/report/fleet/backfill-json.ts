import * as z from "zod/mini"
import { listedBackfill } from "../backfill/json.js"
import { failedWith, failureGroups, targetShape } from "./json.js"

const count = z.number().check(z.int(), z.gte(0))
const names = z.readonly(z.array(z.string()))
const facts = {
  /** The digest of the backfills. */
  history: z.string(),
  shard: z.nullable(z.string()),
  targets: count,
}

/** What `lockstep backfill --list --targets --json` prints. */
export const fleetBackfillList = z.strictObject({
  schema: z.literal("lockstep.fleet-backfill-list/1"),
  ...facts,
  /** The backfills, in their order, and in how many databases each is finished. */
  backfills: z.readonly(z.array(z.strictObject({ name: z.string(), file: z.string(), finished: count }))),
  /** Databases in which all are finished, and those that cannot be read. */
  ...{ finished: count, unreadable: count },
  failures: failureGroups,
  results: z.readonly(
    z.array(
      z.strictObject({
        ...targetShape,
        /** In the same order; null where the database cannot be read. */
        backfills: z.nullable(z.readonly(z.array(listedBackfill))),
        error: z.nullable(failedWith),
      }),
    ),
  ),
})

/** What `lockstep backfill --dry-run --targets --json` prints. */
export const fleetBackfillPlan = z.strictObject({
  schema: z.literal("lockstep.fleet-backfill-plan/1"),
  ...facts,
  backfills: z.readonly(
    z.array(
      z.strictObject({
        ...{ name: z.string(), file: z.string() },
        /** Databases in which it would run; about how many rows are left there, and in how many batches at least. */
        ...{ targets: names, estimated: count, atLeastBatches: count },
        /** The database with the most rows left: its table, the columns by which it is walked, the next batch. */
        largest: z.strictObject({
          ...{ name: z.string(), table: z.string(), key: z.string(), estimated: count },
          sql: z.nullable(z.string()),
        }),
      }),
    ),
  ),
  failures: failureGroups,
})

export type FleetBackfillList = Readonly<z.infer<typeof fleetBackfillList>>
export type FleetBackfillPlan = Readonly<z.infer<typeof fleetBackfillPlan>>
