import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { effects } from "../../src/sql/effects.js"
import { rules } from "../../src/sql/rules.js"
import { openShop, type Shop, statementOf } from "./observed.js"

let shop: Shop

beforeAll(async () => {
  shop = await openShop()
})

afterAll(() => shop.close())

describe("each rule is what PostgreSQL does", () => {
  for (const [id, rule] of Object.entries(rules)) {
    if (id === "unknown" || rule.example === "") continue
    test(id, async () => {
      const { effects, said, seen } = await shop.observe(rule.example)
      expect(effects.map((effect) => effect.rule)).toContain(id)
      expect(seen).toEqual(said)
      if (rule.on === undefined) return
      const { lock } = rule
      expect(seen[rule.on]).toMatchObject({ lock })
    })
  }
})

test("what code decides when it runs is said to be unknown", async () => {
  const { node } = await statementOf(rules.unknown.example)
  expect(effects(node)).toMatchObject([{ rule: "unknown", lock: "unknown", cost: "unknown" }])
})
