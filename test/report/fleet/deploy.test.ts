import { expect, test } from "vitest"
import { terminationMessage } from "../../../src/report/fleet/deploy.js"
import type { FleetSummary } from "../../../src/report/fleet/json.js"

const summary: FleetSummary = {
  ...{ schema: "lockstep.fleet/1", event: "done", history: "ab", migrations: 2, shard: "3/16", durationMs: 900 },
  ...{ runFile: null, targets: 2, done: 2, changed: 1, failed: 0, interrupted: 0, notStarted: 0, notKnown: 0 },
  ...{ stopped: null, failures: [], results: [] },
}
const failed = (message: string): FleetSummary => ({
  ...{ ...summary, done: 1, failed: 1, stopped: "failures" },
  failures: [{ error: { schema: "lockstep.error/1", code: "L1012", message }, targets: ["tenant_1"] }],
})

test("says the share and the verdict", () => {
  expect(terminationMessage(summary)).toBe("share 3/16: Up to date: 2 of 2 targets, 1 changed, in 900 ms.")
})

test("the verdict comes before the failures, which are cut at what Kubernetes keeps, between two characters", () => {
  expect(terminationMessage(failed("no column"))).toMatch(
    /^share 3\/16: Stopped: 1 failure.*\n.*next:.*\nerror\[L1012\]: no column\n.*in: +tenant_1$/,
  )
  for (const shift of ["", "x", "xx"]) {
    const message = terminationMessage(failed(`${shift}${"ä€".repeat(2000)}`))
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(4096)
    expect(message).toMatch(/^share 3\/16: Stopped[\s\S]*[ä€]\n\(cut\)$/)
  }
})
