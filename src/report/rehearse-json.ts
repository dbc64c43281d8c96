import * as z from "zod/mini"
import type { Rehearsal } from "../rehearse/rehearse.js"
import { lockModes } from "../sql/rules/rule.js"
import { rehearsalPassed, rehearsalVerdict } from "./rehearse.js"

const texts = z.readonly(z.array(z.string()))
const count = z.number().check(z.int(), z.gte(0))

const failure = z.strictObject({
  /** Without the values of a row, unless --show-rows asks for them. */
  message: z.string(),
  sqlstate: z.optional(z.string()),
  /** The rows that made it fail; absent where they cannot be found. */
  offenders: z.optional(
    z.strictObject({
      table: z.string(),
      /** The primary key's columns. */
      key: texts,
      count,
      /** The first of them: their keys as JSON, or with --show-rows whole rows. */
      rows: texts,
    }),
  ),
})

const statement = z.strictObject({
  line: count,
  text: z.string(),
  durationMs: z.number(),
  rows: z.readonly(z.array(z.strictObject({ table: z.string(), inserted: count, updated: count, deleted: count }))),
  /** On tables that existed before the rehearsal. */
  locks: z.readonly(
    z.array(
      z.strictObject({
        ...{ table: z.string(), lock: z.enum(lockModes) },
        until: z.enum(["end of migration", "end of statement"]),
      }),
    ),
  ),
  failure: z.optional(failure),
})

/** What `lockstep rehearse --json` prints: lockstep.rehearse/1. */
export const rehearsalAnswer = z.strictObject({
  schema: z.literal("lockstep.rehearse/1"),
  /** Whether every migration was applied and every assertion holds. */
  passed: z.boolean(),
  verdict: z.string(),
  /** The server of the scratch database. */
  on: z.string(),
  migrations: z.readonly(
    z.array(
      z.strictObject({
        ...{ name: z.string(), file: z.string(), state: z.enum(["applied", "failed", "not reached"]) },
        statements: z.readonly(z.array(statement)),
      }),
    ),
  ),
  assertions: z.readonly(
    z.array(
      z.strictObject({
        ...{ name: z.string(), file: z.string(), when: z.enum(["before", "after"]) },
        /** How many rows it returned; absent where the query failed. */
        rows: z.optional(count),
        error: z.optional(z.string()),
      }),
    ),
  ),
})

/** The rehearsal for programs: lockstep.rehearse/1. */
export const rehearsalObject = (rehearsal: Rehearsal) => {
  const { on, migrations, assertions } = rehearsal
  const [passed, verdict] = [rehearsalPassed(rehearsal), rehearsalVerdict(rehearsal)]
  return { schema: "lockstep.rehearse/1" as const, passed, verdict, on, migrations, assertions }
}
