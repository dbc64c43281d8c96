import * as z from "zod/mini"

const name = z.string()
const names = z.array(name)
/** ISO 8601, UTC. */
const time = z.iso.datetime({ precision: 3 })
const ms = z.number().check(z.gte(0))
const count = z.number().check(z.int(), z.gte(0))
const kind = z.enum(["transactional", "non-transactional", "self-managed"])

const holder = z.strictObject({
  pid: count,
  applicationName: z.string(),
  address: z.string(),
  forMs: z.number(),
  query: z.string(),
  percent: z.optional(z.number()),
})

const event = <const E extends string, const S extends z.core.$ZodLooseShape>(named: E, shape: S) =>
  z.strictObject({ schema: z.literal("lockstep.deploy/1"), at: time, event: z.literal(named), ...shape })

/** What a deploy tells as it happens, and at its end: one object a line. */
export const deployAnswer = z.discriminatedUnion("event", [
  event("began", {
    ...{ version: z.string(), history: z.string(), migrations: count },
    ...{ host: z.string(), port: count, database: z.string(), databaseSchema: z.string() },
  }),
  event("waiting-for-database", { reason: z.string(), waitedMs: ms }),
  event("database-created", { database: z.string() }),
  event("note", { text: z.string() }),
  event("waiting-for-lock", { waitedMs: ms, holder: z.optional(holder) }),
  event("planned", { total: count, pending: names }),
  event("started", { name, class: kind, index: count, of: count }),
  event("progress", { name, doing: z.string(), percent: z.optional(z.number()), elapsedMs: ms }),
  event("retry", { name: z.optional(name), attempt: count, of: count, delayMs: ms, reason: z.string() }),
  event("applied", { name, class: kind, durationMs: ms }),
  event("failed", { name }),
  event("verified", { recorded: count, of: count }),
  event("schema-verified", { migrations: count }),
  z.strictObject({
    ...{ schema: z.literal("lockstep.deploy/1"), event: z.literal("done") },
    ...{ applied: names, total: count, recorded: count, edited: count, appliedMeanwhile: count },
    ...{ ahead: z.boolean(), durationMs: ms },
  }),
])
