import * as z from "zod/mini"
import { errorCodes } from "../errors.js"
import { planAnswer } from "./plan-schema.js"

const name = z.string()
const names = z.array(name)
/** ISO 8601, UTC. */
const time = z.iso.datetime({ precision: 3 })
const ms = z.number().check(z.gte(0))
const count = z.number().check(z.int(), z.gte(0))
const checksum = z.string().check(z.length(64))
const kind = z.enum(["transactional", "non-transactional", "self-managed"])
const text = z.optional(z.string())

const error = z.strictObject({
  schema: z.literal("lockstep.error/1"),
  code: z.string().check(z.refine((code) => Object.hasOwn(errorCodes, code))),
  message: z.string(),
  file: text,
  line: z.optional(count),
  column: z.optional(count),
  excerpt: text,
  sqlstate: text,
  hint: text,
  state: text,
  next: text,
})

const recorded = {
  startedAt: time,
  finishedAt: z.nullable(time),
  steps: count,
  recordedChecksum: z.string(),
}

const migration = z.discriminatedUnion("state", [
  z.strictObject({ name, state: z.literal("applied"), ...recorded, checksum }),
  z.strictObject({ name, state: z.literal("edited"), ...recorded, checksum }),
  z.strictObject({ name, state: z.literal("missing"), ...recorded }),
  z.strictObject({
    name,
    state: z.literal("failed"),
    ...recorded,
    checksum: z.optional(checksum),
    logs: z.nullable(z.string()),
  }),
  z.strictObject({
    name,
    state: z.literal("pending"),
    checksum,
    outOfOrder: z.boolean(),
    rolledBackAt: z.nullable(time),
  }),
])

const status = z.strictObject({
  schema: z.literal("lockstep.status/1"),
  history: z.enum(["there", "none"]),
  upToDate: z.boolean(),
  ahead: z.boolean(),
  migrations: z.array(migration),
})

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

const deploy = z.discriminatedUnion("event", [
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
  event("proved", { recorded: count, of: count }),
  event("schema-proved", { migrations: count }),
  z.strictObject({
    ...{ schema: z.literal("lockstep.deploy/1"), event: z.literal("done") },
    ...{ applied: names, total: count, recorded: count, edited: count, appliedMeanwhile: count },
    ...{ ahead: z.boolean(), durationMs: ms },
  }),
])

const warnings = { warnings: z.array(z.string()), unexecutable: z.array(z.string()) }

const migrate = z.discriminatedUnion("state", [
  z.strictObject({ schema: z.literal("lockstep.migrate/1"), state: z.literal("nothing") }),
  z.strictObject({
    schema: z.literal("lockstep.migrate/1"),
    state: z.enum(["applied", "written"]),
    ...{ name, file: z.string(), sql: z.string(), ...warnings },
  }),
])

const testDb = z.discriminatedUnion("state", [
  z.strictObject({
    ...{
      schema: z.literal("lockstep.test-db/1"),
      state: z.literal("running"),
      url: z.string(),
      port: count,
      pid: count,
    },
    ...{ version: z.string(), dataDir: z.string(), startedMs: z.optional(ms), reused: z.boolean() },
  }),
  z.strictObject({ schema: z.literal("lockstep.test-db/1"), state: z.enum(["stopped", "not running"]) }),
])

/**
 * What --json prints, by the `schema` that each object carries: its documentation, and what the tests hold it to.
 * `deploy` prints one object a line as it happens; the others one object; each of them the error where it fails.
 */
export const answers = {
  "lockstep.error/1": error,
  "lockstep.status/1": status,
  "lockstep.deploy/1": deploy,
  "lockstep.plan/1": planAnswer,
  "lockstep.migrate/1": migrate,
  "lockstep.generate/1": z.strictObject({ schema: z.literal("lockstep.generate/1"), durationMs: ms }),
  "lockstep.diff/1": z.strictObject({
    ...{ schema: z.literal("lockstep.diff/1"), from: z.string(), to: z.string() },
    ...{ equal: z.boolean(), text: z.string() },
  }),
  "lockstep.resolve/1": z.strictObject({
    ...{ schema: z.literal("lockstep.resolve/1"), name, state: z.enum(["applied", "rolled back"]) },
  }),
  "lockstep.baseline/1": z.strictObject({ schema: z.literal("lockstep.baseline/1"), recorded: names }),
  "lockstep.reset/1": z.strictObject({ schema: z.literal("lockstep.reset/1"), applied: names, seeded: z.boolean() }),
  "lockstep.push/1": z.strictObject({
    ...{ schema: z.literal("lockstep.push/1"), state: z.enum(["pushed", "refused", "nothing"]), steps: count },
    ...warnings,
  }),
  "lockstep.test-db/1": testDb,
} as const
