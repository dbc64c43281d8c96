import * as z from "zod/mini"
import { deployEvent } from "../deploy/events.js"

const schema = z.literal("lockstep.deploy/1")
/** ISO 8601, UTC. */
const at = z.iso.datetime({ precision: 3 })
const names = z.array(z.string())
const count = z.number().check(z.int(), z.gte(0))

const result = z.strictObject({
  ...{ schema, event: z.literal("done") },
  ...{ applied: names, total: count, recorded: count, edited: count, appliedMeanwhile: count },
  ...{ ahead: z.boolean(), durationMs: z.number().check(z.gte(0)) },
})

/** What a deploy reports as it happens, and at its end: one object a line. */
export const deployAnswer = z.union([
  ...deployEvent.def.options.map(({ shape }) => z.strictObject({ schema, at, ...shape })),
  result,
])
