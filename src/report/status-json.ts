import * as z from "zod/mini"

const name = z.string()
const count = z.number().check(z.int(), z.gte(0))

/** ISO 8601, UTC. */
export const time = z.iso.datetime({ precision: 3 })
const checksum = z.string().check(z.length(64))

const row = {
  startedAt: time,
  finishedAt: z.nullable(time),
  steps: z.number().check(z.int(), z.gte(0)),
  recordedChecksum: z.string(),
}

const migration = z.discriminatedUnion("state", [
  z.strictObject({ name, state: z.literal("applied"), ...row, checksum }),
  z.strictObject({ name, state: z.literal("edited"), ...row, checksum }),
  z.strictObject({ name, state: z.literal("missing"), ...row }),
  z.strictObject({
    ...{ name, state: z.literal("failed"), ...row },
    checksum: z.optional(checksum),
    logs: z.nullable(z.string()),
  }),
  z.strictObject({
    ...{ name, state: z.literal("pending"), checksum },
    outOfOrder: z.boolean(),
    rolledBackAt: z.nullable(time),
    /** The data that it destroys by its SQL, in words. */
    destroys: z.readonly(z.array(z.string())),
  }),
])

/** What `lockstep status --json` prints. */
export const statusAnswer = z.strictObject({
  schema: z.literal("lockstep.status/1"),
  history: z.enum(["exists", "none"]),
  /** What a database without a history holds. */
  existingObjects: z.nullable(z.string()),
  upToDate: z.boolean(),
  ahead: z.boolean(),
  duplicates: z.readonly(z.array(name)),
  /** Squashed migrations whose rows take the place of those of what they replace with the next deploy. */
  toAdopt: z.optional(z.readonly(z.array(z.strictObject({ name, replaces: count })))),
  /** Squashed migrations of whose replaced ones some are not applied: a deploy refuses them. */
  inBetween: z.optional(
    z.readonly(z.array(z.strictObject({ name, replaces: count, missing: z.readonly(z.array(name)) }))),
  ),
  /** Where the project's backfills stand; absent where it has none. */
  backfills: z.optional(
    z.readonly(z.array(z.strictObject({ name, state: z.enum(["not started", "running", "unfinished", "finished"]) }))),
  ),
  migrations: z.array(migration),
})

export type StatusAnswer = z.infer<typeof statusAnswer>
