import { describe, expect, test } from "vitest"
import { checks } from "../../src/check/registry.js"
import { exampleProject, needsDatabase } from "./project.js"

describe.each(checks.map((check) => [check.id, check] as const))("%s", (id, check) => {
  test("its failing example fails, each finding by its name and level", async () => {
    const project = await exampleProject(check.examples.fails, needsDatabase(check))
    const [result] = await project.check({ ids: [id] })
    expect(result).toMatchObject({
      check: id,
      state: check.level === "error" ? "failed" : "warned",
      findings: [expect.objectContaining({ check: id, severity: check.level, title: check.title })],
    })
  })

  test("its passing example passes", async () => {
    const project = await exampleProject(check.examples.passes, needsDatabase(check))
    expect(await project.check({ ids: [id] })).toMatchObject([{ check: id, state: "passed" }])
  })
})

test("ids are unique, and name a family and a check", () => {
  const ids = checks.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
  for (const id of ids) expect(id).toMatch(/^[a-z]+\/[a-z-]+$/)
})
