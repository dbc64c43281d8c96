import { expect, test } from "vitest"
import { FleetProgress } from "../../../src/report/fleet/reporter.js"
import { target, targets } from "../../fleet/targets.js"

test("the table has what is done, at work, failed and waiting, the time left, and the slowest first", () => {
  const progress = new FleetProgress()
  const [first, second, third, fourth, fifth] = targets(5)
  if (!first || !second || !third || !fourth || !fifth) throw new Error("five targets")
  progress.beginWave({ index: 2, of: 3, targets: 10 }, 0)
  for (const one of [first, second, third]) {
    progress.start(one, 0)
    progress.end(one, one === third ? "failed" : "done")
  }
  progress.start(fourth, 1000)
  progress.start(fifth, 5500)
  progress.works(fourth, "20260402_idx")
  progress.works(fourth, undefined)
  expect(progress.render(6000).split("\n")).toEqual([
    "wave 2 of 3: 2 of 10   running 2   failed 1   waiting 5   about 14 s left",
    "  tenant_4    5.0 s  20260402_idx",
    "  tenant_5   500 ms  connecting",
  ])
})

test("only the slowest are listed", () => {
  const progress = new FleetProgress()
  progress.beginWave({ index: 1, of: 1, targets: 100 }, 0)
  for (const one of targets(8)) progress.start(one, 0)
  progress.start(target("last", "postgresql://o@db/last"), 1)
  const lines = progress.render(2).split("\n")
  expect(lines).toHaveLength(7)
  expect(lines[0]).toBe("0 of 100   running 9   failed 0   waiting 91")
})
