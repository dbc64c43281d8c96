import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { asJson, type Report } from "../../dagger/src/report.js"
import { objectsIn } from "../e2e/json.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"

const report: Report = {
  passed: false,
  durationMs: 1300,
  steps: [
    { name: "apply", state: "passed", output: "12 applied", durationMs: 1200 },
    { name: "deploy again", state: "failed", output: "error[L1012]: <no> such table\n  line 3", durationMs: 300 },
    { name: "image", state: "skipped", output: "", durationMs: 0 },
  ],
}

test("what the module's verify found is written in the formats of the commands' own answers", async () => {
  const { root } = createProject({ files: { "verify.json": asJson(report) } })
  const args = ["report", "verify.json", "--json", "--format", "text,junit,sarif,markdown,html", "--output", "reports/"]
  const { stdout, exitCode } = await lockstep(args, { cwd: root })
  expect(exitCode).toBe(1)
  expect(objectsIn(stdout)).toEqual([{ schema: "lockstep.verify/1", ...report }])
  const read = (name: string) => readFileSync(join(root, "reports", name), "utf8")
  expect(read("verify.txt")).toContain("FAIL  deploy again\nerror[L1012]")
  expect(read("verify.txt")).toMatch(/1 of 3 steps passed, 1 failed, 1 skipped, in 1.3 s.\n$/)
  expect(read("verify.junit.xml")).toContain('tests="3" failures="1" errors="0" skipped="1"')
  expect(read("verify.md")).toContain("**failed** `verify/deploy-again`")
  expect(JSON.parse(read("verify.sarif")).runs[0].results).toMatchObject([{ ruleId: "verify/deploy-again" }])
  expect(read("verify.html")).toContain("error[L1012]: &lt;no&gt; such table")
})

test("another file is refused", async () => {
  const { root } = createProject({ files: { "verify.json": '{ "schema": "lockstep.plan/1" }' } })
  const { stderr, exitCode } = await lockstep(["report", "verify.json"], { cwd: root })
  expect(stderr).toContain("error[L2070]: verify.json cannot be reported")
  expect(exitCode).toBe(2)
})
