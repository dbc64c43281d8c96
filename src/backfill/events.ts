import * as z from "zod/mini"

const name = z.string()
const count = z.number().check(z.int(), z.gte(0))
const ms = z.number().check(z.gte(0))

const event = <const E extends string, const S extends z.core.$ZodLooseShape>(named: E, shape: S) =>
  z.strictObject({ event: z.literal(named), ...shape })

/** What happens while backfills run, as it happens. Durations are milliseconds. */
export const backfillEvent = z.discriminatedUnion("event", [
  event("began", {
    version: z.string(),
    backfills: z.array(name),
    ...{ host: z.string(), port: count, database: z.string(), databaseSchema: z.string() },
  }),
  event("waiting-for-database", { reason: z.string(), waitedMs: ms }),
  /** Another process runs the same backfill; `holder`: which, in words. */
  event("waiting-for-lock", { name, waitedMs: ms, holder: z.optional(z.string()) }),
  event("note", { text: z.string() }),
  /** `walked` and `rows`: what earlier runs have done. `estimated`: about how many rows the table has. */
  event("started", { name, table: z.string(), key: z.string(), rows: count, walked: count, estimated: count }),
  /** At most once a second. `rows`: changed, of those `walked`; `leftMs`: an estimate. */
  event("progress", {
    ...{ name, rows: count, walked: count, estimated: count, batches: count, batchRows: count },
    ...{ rowsPerSecond: count, leftMs: z.optional(ms) },
  }),
  event("waiting-for-replica", { name, replica: z.string(), lagMs: ms, waitedMs: ms }),
  event("retry", { name: z.optional(name), attempt: count, of: count, delayMs: ms, reason: z.string() }),
  /** `rows`, `walked` and `batches`: of all runs; `durationMs`: of this one. */
  event("finished", { name, rows: count, walked: count, batches: count, durationMs: ms }),
  event("failed", { name, rows: count, walked: count, batches: count }),
])

export type BackfillEvent = Readonly<z.infer<typeof backfillEvent>>
