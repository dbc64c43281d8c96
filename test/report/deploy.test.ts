import { createColors } from "picocolors"
import { expect, test } from "vitest"
import type { Output } from "../../src/cli/output.js"
import type { DeployResult } from "../../src/deploy/context.js"
import type { DeployEvent } from "../../src/deploy/events.js"
import { deployReporter, duration, verdict } from "../../src/report/deploy.js"

function told(events: readonly DeployEvent[]): { said: string[]; objects: object[] } {
  const said: string[] = []
  const objects: object[] = []
  const output: Output = {
    json: false,
    terminal: false,
    paint: createColors(false),
    width: 80,
    columns: undefined,
    say: (text) => void said.push(text),
    live: () => undefined,
    data: () => undefined,
    object: (value) => void objects.push(value),
  }
  const report = deployReporter(output)
  for (const event of events) report(event)
  return { said, objects }
}

const result: DeployResult = {
  applied: [],
  total: 12,
  recorded: 12,
  edited: 0,
  appliedMeanwhile: 0,
  ahead: false,
  durationMs: 412,
}

test("a deploy's lines: what there is to do, each migration, why one is tried again", () => {
  const { said } = told([
    { event: "planned", total: 12, pending: ["20260101000000_init", "20260102000000_a"] },
    { event: "applied", name: "20260101000000_init", class: "transactional", durationMs: 18 },
    { event: "retry", name: "20260102000000_a", attempt: 2, of: 10, delayMs: 3100, reason: "ALTER TABLE waited" },
    { event: "applied", name: "20260102000000_a", class: "non-transactional", durationMs: 96_000 },
    { event: "failed", name: "20260103000000_b" },
  ])
  expect(said).toEqual([
    "12 migrations, 2 to apply",
    "  ok  20260101000000_init    18 ms",
    "  retry 2 of 10 in 3.1 s: ALTER TABLE waited",
    "  ok  20260102000000_a     1 min 36 s   outside a transaction",
    "FAIL  20260103000000_b\n",
  ])
})

test("the holder of the lock: since when, who, from where, what it runs and how far that is", () => {
  const holder = {
    pid: 4312,
    applicationName: "lockstep deploy",
    address: "10.2.0.7",
    forMs: 12_000,
    query: "CREATE INDEX",
    percent: 43,
  }
  expect(
    told([
      { event: "waiting-for-lock", waitedMs: 0, holder },
      { event: "waiting-for-lock", waitedMs: 9, holder: undefined },
    ]).said,
  ).toEqual([
    "waiting for the migration lock: held for 12 s by lockstep deploy (pid 4312, 10.2.0.7), running CREATE INDEX 43 %",
    "waiting for the migration lock",
  ])
})

test("each event is an object with the schema's name and the time; progress is no line where nobody watches", () => {
  const { said, objects } = told([
    { event: "progress", name: "a", doing: "CREATE INDEX: building", percent: 5, elapsedMs: 1000 },
  ])
  expect(said).toEqual([])
  expect(objects).toEqual([
    expect.objectContaining({
      schema: "lockstep.deploy/1",
      event: "progress",
      percent: 5,
      at: expect.stringMatching(/^\d{4}-.*Z$/),
    }),
  ])
})

test.each([
  [result, "Nothing to do. Verified: 12 of 12 recorded."],
  [{ ...result, applied: ["a"] }, "1 applied in 412 ms. Verified: 12 of 12 recorded, checksums match."],
  [{ ...result, edited: 2 }, "Nothing to do. Verified: 12 of 12 recorded, 2 edited since."],
  [{ ...result, ahead: true }, "Nothing to do: the database is ahead of this folder. Verified: 12 of 12 recorded."],
  [
    { ...result, appliedMeanwhile: 2 },
    "2 pending migrations were applied meanwhile by another deployer. Nothing to do. Verified: 12 of 12 recorded.",
  ],
  [{ ...result, total: 0, recorded: 0 }, "Nothing to do: the folder holds no migrations."],
])("the verdict %#", (outcome, line) => {
  expect(verdict(outcome)).toBe(line)
})

test("durations as people read them", () => {
  expect([18, 1400, 9960, 12_300, 59_600, 119_700, 125_000].map(duration)).toEqual([
    ...["18 ms", "1.4 s", "10 s", "12 s", "1 min 0 s", "2 min 0 s", "2 min 5 s"],
  ])
})
