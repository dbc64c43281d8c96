import { expect, test } from "vitest"
import { asJson, asJunit, asText, type Report, type Step, skipped, step } from "../../dagger/src/report.js"

const steps: readonly Step[] = [
  { name: "apply", state: "passed", output: "12 applied", durationMs: 1200 },
  { name: "client", state: "failed", output: 'error: "<a>" & \u0007b', durationMs: 300 },
  { name: "image", state: "skipped", output: "", durationMs: 0 },
]

/** The longest step took 1.2 s, and the whole, in which they ran side by side, not much longer. */
const report: Report = { passed: false, durationMs: 1300, steps }

test("a step keeps what it printed, whether it worked or not", async () => {
  expect(await step("apply", async () => "12 applied\n")).toMatchObject({ state: "passed", output: "12 applied" })
  const failed = await step("apply", async () => {
    throw new Error("\nerror[L1012]\n")
  })
  expect(failed).toMatchObject({ name: "apply", state: "failed", output: "error[L1012]" })
  expect(skipped("image")).toEqual({ name: "image", state: "skipped", output: "", durationMs: 0 })
})

test("JSON has a version and a verdict", () => {
  expect(JSON.parse(asJson(report))).toEqual({ schema: "lockstep.verify/1", passed: false, durationMs: 1300, steps })
})

test("JUnit counts, has the time of the whole, and holds no character that XML does not allow", () => {
  const xml = asJunit(report)
  expect(xml).toContain('<testsuite name="lockstep verify" tests="3" failures="1" skipped="1" time="1.3">')
  expect(xml).toContain('name="apply" time="1.2"><system-out>12 applied</system-out></testcase>')
  expect(xml).toContain('<failure message="failed">error: &#34;&#60;a&#62;&#34; &#38; b</failure></testcase>')
  expect(xml).toContain('name="image" time="0"><skipped></skipped></testcase>')
})

test("people read a line a step, and what the failed one printed", () => {
  expect(asText(report)).toBe('  ok  apply\nFAIL  client\nerror: "<a>" & \u0007b\nskip  image')
})
