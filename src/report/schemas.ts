import * as z from "zod/mini"
import { result } from "../check/finding.js"
import { statistics } from "../check/sizes.js"
import { deployEvent } from "../deploy/events.js"
import { errorCodes } from "../errors.js"
import { found as foundSchema } from "../init/detect.js"
import { podPartSchema } from "../kubernetes/container.js"
import { jobSchema } from "../kubernetes/job.js"
import { valuesSchema } from "../kubernetes/values.js"
import { backfillAnswers } from "./backfill/json.js"
import { backupAnswer, restoreAnswer } from "./backup-json.js"
import { checkAnswer } from "./check-json.js"
import { fleetBackfillList, fleetBackfillPlan } from "./fleet/backfill-json.js"
import { fleetReportAnswer } from "./fleet/collect.js"
import { fleetAnswer, fleetStatusAnswer } from "./fleet/json.js"
import { fleetPlanAnswer } from "./fleet/plan.js"
import { verification } from "./formats/verification.js"
import { planAnswer } from "./plan-json.js"
import { rehearsalAnswer } from "./rehearse-json.js"
import { statusAnswer, time } from "./status-json.js"

const name = z.string()
const names = z.array(name)
const ms = z.number().check(z.gte(0))
const count = z.number().check(z.int(), z.gte(0))
const text = z.optional(z.string())

/** What every command prints with --json where it fails. */
const error = z.strictObject({
  schema: z.literal("lockstep.error/1"),
  code: z.string().check(z.refine((code) => Object.hasOwn(errorCodes, code))),
  message: z.string(),
  ...{
    file: text,
    line: z.optional(count),
    column: z.optional(count),
    excerpt: text,
    sqlstate: text,
    hint: text,
    state: text,
    next: text,
  },
})

export type ErrorAnswer = z.infer<typeof error>

const deploySchema = z.literal("lockstep.deploy/1")

const deployed = z.strictObject({
  ...{ schema: deploySchema, event: z.literal("done") },
  ...{ applied: names, total: count, recorded: count, edited: count, appliedMeanwhile: count },
  ...{ ahead: z.boolean(), durationMs: ms },
  /** Squashed migrations whose rows took the place of those of what they replace. */
  adopted: z.optional(names),
})

/** What a deploy reports as it happens, and at its end: one object a line. */
const deploy = z.union([
  ...deployEvent.def.options.map(({ shape }) => z.strictObject({ schema: deploySchema, at: time, ...shape })),
  deployed,
])

const texts = z.readonly(z.array(z.string()))
const warnings = { warnings: texts, unexecutable: texts }

const migrate = z.discriminatedUnion("state", [
  z.strictObject({ schema: z.literal("lockstep.migrate/1"), state: z.literal("nothing") }),
  z.strictObject({
    schema: z.literal("lockstep.migrate/1"),
    state: z.enum(["applied", "written"]),
    ...{ name, file: z.string(), sql: z.string(), ...warnings },
    ...{ losses: texts, renames: texts },
    /** The enum values that it uses, which must be committed before. */
    precededBy: z.optional(z.strictObject({ name, file: z.string(), sql: z.string() })),
  }),
])

export type MigrateAnswer = z.infer<typeof migrate>

const undo = z.discriminatedUnion("state", [
  z.strictObject({ schema: z.literal("lockstep.undo/1"), state: z.literal("nothing"), undoes: texts }),
  z.strictObject({
    ...{ schema: z.literal("lockstep.undo/1"), state: z.enum(["written", "draft"]), name, file: z.string() },
    ...{ sql: z.string(), undoes: texts, losses: texts, conditions: texts, byHand: texts },
    /** "to be updated": it still has the undone change, which the next migrate would make again. */
    prismaSchema: z.enum(["as before", "updated", "to be updated"]),
  }),
])

export type UndoAnswer = z.infer<typeof undo>

const squash = z.discriminatedUnion("state", [
  z.strictObject({ schema: z.literal("lockstep.squash/1"), state: z.literal("nothing"), replaces: texts }),
  z.strictObject({
    ...{ schema: z.literal("lockstep.squash/1"), state: z.enum(["written", "dry run"]), name },
    /** Absent in a dry run. */
    file: z.optional(z.string()),
    ...{ sql: z.string(), replaces: texts, rows: count, notes: texts },
  }),
])

export type SquashAnswer = z.infer<typeof squash>

const diff = z.strictObject({
  ...{ schema: z.literal("lockstep.diff/1"), from: z.string(), to: z.string() },
  ...{ equal: z.boolean(), text: z.string(), pending: texts },
})

export type DiffAnswer = z.infer<typeof diff>

const wait = z.strictObject({
  ...{ schema: z.literal("lockstep.wait/1"), ready: z.boolean(), waitedMs: ms, reason: text },
})

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

const testClient = z.strictObject({
  schema: z.literal("lockstep.test-client/1"),
  /** Absent where --only names the other part. */
  types: z.optional(z.enum(["checked", "absent"])),
  models: z.optional(
    z.array(
      z.discriminatedUnion("state", [
        z.strictObject({ model: z.string(), state: z.literal("read and written") }),
        z.strictObject({ model: z.string(), state: z.literal("read"), why: z.string() }),
      ]),
    ),
  ),
})

const image = z.strictObject({
  ...{ schema: z.literal("lockstep.image/1"), out: z.string() },
  layers: z.array(z.strictObject({ name, files: count, bytes: count })),
  ...{ bytes: count, packages: count, labels: z.record(z.string(), z.string()) },
})

const kubernetes = z.union([
  z.strictObject({ schema: z.literal("lockstep.kubernetes/1"), ...podPartSchema.shape }),
  z.strictObject({ schema: z.literal("lockstep.kubernetes/1"), job: jobSchema }),
  z.strictObject({ schema: z.literal("lockstep.kubernetes/1"), jobs: z.array(jobSchema) }),
  z.strictObject({ schema: z.literal("lockstep.kubernetes/1"), values: valuesSchema }),
])

const proposed = z.strictObject({ path: z.string(), state: z.enum(["new", "changed"]), patch: z.string() })

const init = z.union([
  z.strictObject({
    schema: z.literal("lockstep.init/1"),
    state: z.enum(["written", "dry run", "nothing"]),
    found: foundSchema,
    changes: z.array(proposed),
    notes: z.array(z.string()),
    next: z.array(z.string()),
  }),
  z.strictObject({
    ...{ schema: z.literal("lockstep.init/1"), state: z.literal("example"), folder: z.string() },
    ...{ files: z.readonly(z.array(z.string())), next: z.array(z.string()) },
  }),
])

/** What `lockstep doctor --json` prints. */
const doctor = z.strictObject({
  schema: z.literal("lockstep.doctor/1"),
  /** Nothing failed; there may be warnings. */
  passed: z.boolean(),
  verdict: z.string(),
  examinations: z.readonly(z.array(result)),
})

/**
 * What --json prints, by the `schema` that each object carries: its documentation, and what the tests hold it to. The
 * commands import the types alone: building the schemas would slow their start.
 * `deploy` prints one object a line as it happens; the others one object; each of them the error where it fails.
 */
export const answers = {
  "lockstep.error/1": error,
  "lockstep.init/1": init,
  "lockstep.doctor/1": doctor,
  "lockstep.status/1": statusAnswer,
  "lockstep.deploy/1": deploy,
  ...backfillAnswers,
  "lockstep.fleet/1": fleetAnswer,
  "lockstep.fleet-status/1": fleetStatusAnswer,
  "lockstep.fleet-plan/1": fleetPlanAnswer,
  "lockstep.fleet-report/1": fleetReportAnswer,
  "lockstep.fleet-backfill-list/1": fleetBackfillList,
  "lockstep.fleet-backfill-plan/1": fleetBackfillPlan,
  "lockstep.plan/1": planAnswer,
  "lockstep.rehearse/1": rehearsalAnswer,
  "lockstep.check/1": checkAnswer,
  "lockstep.stats/1": statistics,
  "lockstep.verify/1": verification,
  "lockstep.migrate/1": migrate,
  "lockstep.undo/1": undo,
  "lockstep.squash/1": squash,
  "lockstep.wait/1": wait,
  "lockstep.generate/1": z.strictObject({ schema: z.literal("lockstep.generate/1"), durationMs: ms }),
  "lockstep.diff/1": diff,
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
  "lockstep.test-client/1": testClient,
  "lockstep.backup/1": backupAnswer,
  "lockstep.restore/1": restoreAnswer,
  "lockstep.image/1": image,
  "lockstep.kubernetes/1": kubernetes,
} as const
