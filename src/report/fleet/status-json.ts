import * as z from "zod/mini"
import { standingStates } from "../../fleet/standing.js"
import { failedWith, failureGroups, targetShape } from "./json.js"

const count = z.number().check(z.int(), z.gte(0))
const names = z.readonly(z.array(z.string()))

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
