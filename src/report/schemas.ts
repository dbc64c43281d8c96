import * as z from "zod/mini"
import { podPartSchema, valuesSchema } from "../kubernetes/init-container.js"
import { deployAnswer } from "./deploy-schema.js"
import { errorAnswer } from "./error.js"
import { planAnswer } from "./plan-json.js"
import { statusAnswer } from "./status.js"

const name = z.string()
const names = z.array(name)
const ms = z.number().check(z.gte(0))
const count = z.number().check(z.int(), z.gte(0))
const text = z.optional(z.string())

const warnings = { warnings: z.array(z.string()), unexecutable: z.array(z.string()) }

const migrate = z.discriminatedUnion("state", [
  z.strictObject({ schema: z.literal("lockstep.migrate/1"), state: z.literal("nothing") }),
  z.strictObject({
    schema: z.literal("lockstep.migrate/1"),
    state: z.enum(["applied", "written"]),
    ...{ name, file: z.string(), sql: z.string(), ...warnings },
  }),
])

const undo = z.discriminatedUnion("state", [
  z.strictObject({ schema: z.literal("lockstep.undo/1"), state: z.literal("nothing") }),
  z.strictObject({
    ...{ schema: z.literal("lockstep.undo/1"), state: z.enum(["written", "draft"]), name, file: z.string() },
    ...{
      sql: z.string(),
      undoes: names,
      losses: z.array(z.string()),
      conditions: z.array(z.string()),
      byHand: z.array(z.string()),
    },
  }),
])

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
  z.strictObject({ schema: z.literal("lockstep.kubernetes/1"), values: valuesSchema }),
])

/**
 * What --json prints, by the `schema` that each object carries: its documentation, and what the tests hold it to.
 * `deploy` prints one object a line as it happens; the others one object; each of them the error where it fails.
 */
export const answers = {
  "lockstep.error/1": errorAnswer,
  "lockstep.status/1": statusAnswer,
  "lockstep.deploy/1": deployAnswer,
  "lockstep.plan/1": planAnswer,
  "lockstep.migrate/1": migrate,
  "lockstep.undo/1": undo,
  "lockstep.wait/1": wait,
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
  "lockstep.test-client/1": testClient,
  "lockstep.image/1": image,
  "lockstep.kubernetes/1": kubernetes,
} as const
