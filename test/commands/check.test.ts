import { expect, test } from "vitest"
import { commit } from "../check/project.js"
import { objectsIn } from "../e2e/json.js"
import { lockstep } from "../support/in-process.js"
import { createProject } from "../support/project.js"

function branch() {
  const project = createProject({ migrations: { "20260103000000_init": "CREATE TABLE t (id int);" } })
  commit(project.root)
  project.migration("20260102000000_early", "ALTER TABLE t ADD COLUMN note text;")
  const check = (...args: string[]) => lockstep(["check", ...args], { cwd: project.root })
  return { project, check }
}

test("what passed is one line, each finding has its place and what to type, and the last line is the verdict", async () => {
  const { check } = branch()
  const { stdout, exitCode } = await check("history/order", "history/name", "--base", "main")
  expect(stdout.split("\n")).toEqual([
    expect.stringMatching(/^ {2}ok {4}history\/name {3}[\d.]+ m?s$/),
    "  FAIL  history/order  prisma/migrations/20260102000000_early/migration.sql",
    "          20260102000000_early sorts before 20260103000000_init, which main has.",
    "          next:  lockstep check history/order --fix",
    "1 failed, 1 passed.",
  ])
  expect(exitCode).toBe(1)
})

test("--json is one object", async () => {
  const { check } = branch()
  const { stdout, exitCode } = await check("history", "--base", "main", "--json")
  expect(exitCode).toBe(1)
  expect(objectsIn(stdout)).toMatchObject([
    {
      schema: "lockstep.check/1",
      passed: false,
      checks: expect.arrayContaining([expect.objectContaining({ check: "history/order", state: "failed" })]),
    },
  ])
})

test("--fix corrects, says what it did, and checks again", async () => {
  const { check } = branch()
  const { stdout, stderr, exitCode } = await check("history", "--base", "main", "--fix")
  expect(stderr).toMatch(/fixed {2}renamed 20260102000000_early to \d{14}_early/)
  expect([stdout.split("\n").at(-1), exitCode]).toEqual(["7 passed.", 0])
})

test("an unknown check is wrong usage, with the list", async () => {
  const { check } = branch()
  const { stderr, exitCode } = await check("rain")
  expect(exitCode).toBe(2)
  expect(stderr).toContain("history/order")
})
