import * as z from "zod/mini"
import type { Finding } from "../../check/finding.js"
import { duration } from "../deploy.js"
import type { Picture } from "../html/picture.js"
import type { Item, Report } from "./report.js"

const ms = z.number().check(z.gte(0))

/** What the Dagger module's `verify` found, as its verify.json holds it: lockstep.verify/1. */
export const verification = z.strictObject({
  schema: z.literal("lockstep.verify/1"),
  passed: z.boolean(),
  durationMs: ms,
  steps: z.readonly(
    z.array(
      z.strictObject({
        name: z.string(),
        state: z.enum(["passed", "failed", "skipped"]),
        /** What the step printed. */
        output: z.string(),
        durationMs: ms,
      }),
    ),
  ),
})

export type Verification = Readonly<z.infer<typeof verification>>

const count = ({ steps }: Verification, state: Verification["steps"][number]["state"]): number =>
  steps.filter((one) => one.state === state).length

/** "8 of 8 steps passed in 41 s." */
export function verificationVerdict(found: Verification): string {
  const [passed, failed, skipped] = [count(found, "passed"), count(found, "failed"), count(found, "skipped")]
  const rest = [...(failed > 0 ? [`${failed} failed`] : []), ...(skipped > 0 ? [`${skipped} skipped`] : [])]
  const others = rest.length === 0 ? "" : `, ${rest.join(", ")}`
  return `${passed} of ${found.steps.length} steps passed${others}, in ${duration(found.durationMs)}.`
}

/** For people: a line a step, what the failed ones printed, the verdict. */
export function renderVerification(found: Verification): string {
  const words = { passed: "  ok", failed: "FAIL", skipped: "skip" } as const
  const lines = found.steps.flatMap(({ name, state, output }) => [
    `${words[state]}  ${name}`,
    ...(state === "failed" ? [output] : []),
  ])
  return [...lines, verificationVerdict(found)].join("\n")
}

/** The verification as a report: an item a step, whose output is the finding where it failed. */
export const verificationReport = (found: Verification): Report => ({
  command: "verify",
  verdict: verificationVerdict(found),
  items: found.steps.map((step): Item => {
    const { name, state, output, durationMs } = step
    if (state === "skipped") return { name, state, findings: [], accepted: [], skipped: "an earlier step failed" }
    const finding: Finding = {
      check: `verify/${name.replaceAll(" ", "-")}`,
      severity: "error",
      title: `the step ${name} failed`,
      message: output,
      object: name,
      fixable: false,
      docs: "docs/dagger.md#functions",
    }
    return { name, state, findings: state === "failed" ? [finding] : [], accepted: [], durationMs }
  }),
})

/** Its page has the steps, and how many ended how. */
export function verificationPicture(found: Verification): Picture {
  const failed = count(found, "failed")
  return {
    subject: undefined,
    basis: "The whole strategy, on fresh servers in containers. The steps ran side by side.",
    remarks: [],
    facts: [
      {
        label: "Passed",
        value: `${count(found, "passed")} of ${found.steps.length}`,
        tone: failed > 0 ? "info" : "good",
      },
      ...(failed > 0 ? [{ label: "Failed", value: String(failed), tone: "bad" as const }] : []),
      { label: "Time", value: duration(found.durationMs), tone: "info" },
    ],
    ...{ history: [], migrations: [], backfills: [], schema: undefined },
  }
}
