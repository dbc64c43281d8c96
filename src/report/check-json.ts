import * as z from "zod/mini"
import { type Result, result } from "../check/finding.js"
import { checkVerdict, hasFailed } from "./check.js"

/** What `lockstep check --json` prints: lockstep.check/1. */
export const checkAnswer = z.strictObject({
  schema: z.literal("lockstep.check/1"),
  /** No check failed; some may have warned or been skipped. */
  passed: z.boolean(),
  verdict: z.string(),
  /** What --fix did, one line each. */
  fixed: z.readonly(z.array(z.string())),
  checks: z.readonly(z.array(result)),
})

export type CheckAnswer = z.infer<typeof checkAnswer>

/** The results for programs. */
export const checkObject = (results: readonly Result[], fixed: readonly string[]): CheckAnswer => ({
  schema: "lockstep.check/1",
  passed: !hasFailed(results),
  verdict: checkVerdict(results),
  fixed,
  checks: results,
})
