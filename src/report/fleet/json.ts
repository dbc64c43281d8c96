import * as z from "zod/mini"
import { backfillEvent } from "../../backfill/events.js"
import { deployEvent } from "../../deploy/events.js"
import { standingStates } from "../../fleet/standing.js"

const text = z.optional(z.string())
const count = z.number().check(z.int(), z.gte(0))
const ms = z.number().check(z.gte(0))
const names = z.readonly(z.array(z.string()))
const time = z.iso.datetime({ precision: 3 })

/** An error as `lockstep.error/1` has it. */
export const failedWith = z.strictObject({
  ...{ schema: z.literal("lockstep.error/1"), code: z.string(), message: z.string() },
  ...{ file: text, line: z.optional(count), column: z.optional(count), excerpt: text },
  ...{ sqlstate: text, hint: text, state: text, next: text },
})

/** A target, by its name and address. */
export const targetShape = {
  name: z.string(),
  group: z.nullable(z.string()),
  /** "host:port". */
  server: z.string(),
  database: z.string(),
  databaseSchema: z.string(),
}

/** By reason, the most frequent first; the error is the first target's. */
export const failureGroups = z.readonly(z.array(z.strictObject({ error: failedWith, targets: names })))

const result = {
  ...targetShape,
  /** "done before": by the run that is resumed; "not known", in a report alone: its process ended before it was reported. */
  state: z.enum(["done", "failed", "interrupted", "not started", "done before", "not known"]),
  /** The newest migration of the folder that is applied, or the last backfill that is finished; null where none is, and where it is not known. */
  newest: z.nullable(z.string()),
  /** What this run applied, or the backfills that it finished, in order. */
  applied: names,
  durationMs: z.nullable(ms),
  error: z.nullable(failedWith),
}

const targetResult = z.strictObject(result)

/** How a deploy, or backfills, went on one target of a fleet. */
export type TargetResult = Readonly<z.infer<typeof targetResult>>

const fleet = z.literal("lockstep.fleet/1")

/** What is done to the targets; absent: a deploy. */
const command = z.optional(z.enum(["deploy", "backfill"]))

/** How a fleet's deploy, or its backfills, ended. */
export const fleetSummary = z.strictObject({
  ...{ schema: fleet, event: z.literal("done"), command },
  /** The folder's digest, and how many migrations it has; or those of the backfills that are run. */
  ...{ history: z.string(), migrations: count },
  /** "3/16"; null for the whole list. */
  shard: z.nullable(z.string()),
  /** `changed`: those of which something was applied. */
  ...{ targets: count, done: count, changed: count, failed: count, interrupted: count, notStarted: count },
  notKnown: count,
  /** Why targets were not started: more failures than --max-failures, a signal, or a wave that was not confirmed. */
  stopped: z.nullable(z.enum(["failures", "signal", "wave"])),
  failures: failureGroups,
  results: z.readonly(z.array(targetResult)),
  durationMs: ms,
  /** Where the run's state is kept, for --resume-run; null where it is not. */
  runFile: z.nullable(z.string()),
})

export type FleetSummary = Readonly<z.infer<typeof fleetSummary>>

const at = { schema: fleet, at: time }

/** A fleet's deploy begins: with which migrations, on which targets; or its backfills. */
export const fleetBegan = z.strictObject({
  ...{ ...at, event: z.literal("began"), command, version: z.string(), history: z.string(), migrations: count },
  ...{ shard: z.nullable(z.string()), targets: names, runFile: z.nullable(z.string()) },
  /** Those migrations or backfills, in their order. */
  names: z.optional(names),
})

/** A target has ended. */
export const fleetTarget = z.strictObject({ ...at, event: z.literal("target"), ...result })

/** What `lockstep deploy --targets --json` and `lockstep backfill --targets --json` print: one object a line. */
export const fleetAnswer = z.union([
  fleetBegan,
  z.strictObject({ ...at, event: z.literal("wave"), index: count, of: count, targets: count }),
  /** What one target's deploy reports, as `lockstep.deploy/1` has it. */
  z.strictObject({ ...at, event: z.literal("deploy"), target: z.string(), deploy: deployEvent }),
  z.strictObject({ ...at, event: z.literal("backfill"), target: z.string(), backfill: backfillEvent }),
  fleetTarget,
  fleetSummary,
])

const standing = z.strictObject({
  ...targetShape,
  /** All that is so of it. */
  states: z.readonly(z.array(z.enum([...standingStates, "unreadable"]))),
  /** The newest migration of the folder that is applied; null where none is. */
  newest: z.nullable(z.string()),
  ...{ pending: names, failed: names, edited: names, missing: names },
  /** Migrations that replace others, of which some are applied and some not. */
  partly: names,
  /** How the schema differs from what its migrations make, a line an object; null where that was not looked at. */
  drift: z.nullable(names),
  error: z.nullable(failedWith),
})

/** What `lockstep fleet status --json` and `lockstep status --targets --json` print. */
export const fleetStatusAnswer = z.strictObject({
  schema: z.literal("lockstep.fleet-status/1"),
  ...{ history: z.string(), migrations: names, shard: z.nullable(z.string()) },
  /** A database may be in several states. */
  ...{ targets: count, upToDate: count, behind: count, failed: count, edited: count, drifted: count },
  ...{ ahead: count, different: count, unreadable: count },
  /** The databases by the migration at which they stand. */
  levels: z.readonly(z.array(z.strictObject({ newest: z.nullable(z.string()), pending: count, targets: names }))),
  failures: failureGroups,
  results: z.readonly(z.array(standing)),
})

export type FleetStatusAnswer = Readonly<z.infer<typeof fleetStatusAnswer>>
