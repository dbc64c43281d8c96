import { appendFileSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { expect, test } from "vitest"
import { lastRunFile, newRunFile, openRunFile, readRun } from "../../src/fleet/run-file.js"
import { createProject } from "../support/project.js"
import { target, targets } from "./targets.js"

const now = new Date("2026-04-03T09:00:00.000Z")

function begun(history = "one") {
  const { root } = createProject()
  const all = targets(3)
  const file = openRunFile({ path: newRunFile({ root, command: "deploy" }, now), history, targets: all.length }, now)
  return { root, all, file }
}

test("what is done is known again, and what only began or failed is not", () => {
  const { root, all, file } = begun()
  const [first, second, third] = all
  if (!first || !second || !third) throw new Error("three targets")
  for (const one of all) file.note("started", one)
  file.note("done", first)
  file.note("failed", second)
  expect([...readRun(lastRunFile({ root, command: "deploy" }), "one", all).done]).toEqual([first.key])
  expect(readFileSync(join(root, ".lockstep/.gitignore"), "utf8")).toBe("*\n")
  const later = newRunFile({ root, command: "backfill" }, new Date(now.getTime() + 1000))
  openRunFile({ path: later, history: "one", targets: all.length }, now)
  expect(lastRunFile({ root, command: "deploy" }), "what a backfill has done is not deployed").toBe(file.path)
  expect(lastRunFile({ root, command: "backfill" })).toBe(later)
  // A killed process may have written half a line.
  appendFileSync(file.path, '{"event":"done","id":')
  expect([...readRun(file.path, "one", all).done]).toEqual([first.key])
})

test("with other migrations nothing is done; with the first ones again it is", () => {
  const { all, file } = begun()
  const [first] = all
  if (first) file.note("done", first)
  expect(readRun(file.path, "two", all)).toEqual({ done: new Set(), isOutdated: true })
  openRunFile({ path: file.path, history: "one", targets: 3 }, now)
  expect(readRun(file.path, "one", all)).toEqual({ done: new Set([first?.key]), isOutdated: false })
})

test("the same name at another address is another target", () => {
  const { all, file } = begun()
  const [first] = all
  if (first) file.note("done", first)
  const moved = target("tenant_1", "postgresql://o@elsewhere/tenant_1")
  expect(readRun(file.path, "one", [moved]).done.size).toBe(0)
})

test("the file holds no address and no secret, and is its owner's alone", () => {
  const { file } = begun()
  file.note("done", target("shop", "postgresql://owner:hunter2@db.internal/shop"))
  expect(readFileSync(file.path, "utf8")).not.toMatch(/hunter2|db\.internal|postgresql/)
  expect(statSync(file.path).mode & 0o777).toBe(0o600)
})

test("no run, or no run's file, is refused", () => {
  const { root } = createProject({ files: { "other.txt": "hello\n" } })
  const code = (call: () => unknown) => {
    try {
      return call()
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(code(() => lastRunFile({ root, command: "deploy" }))).toBe("L2005")
  expect(code(() => readRun(join(root, "absent"), "one", []))).toBe("L2005")
  expect(code(() => readRun(join(root, "other.txt"), "one", []))).toBe("L2005")
})
