import { describe, expect, test } from "vitest"
import { tablesOf } from "../../src/plan/tables.js"
import type { FoundRelation } from "../../src/plan/target.js"

const found = (schema: string, name: string, rows: number): FoundRelation => ({
  ...{ schema, name, table: { schema, name } },
  ...{ kind: "table", rows, bytes: 8192, partitions: 0, dependents: [] },
})
const order = found("public", "Order", 18)
const index: FoundRelation = { ...order, name: "Order_note_idx" }
const existing = (rows: number) => ({
  ...{ state: "existing", kind: "table", rows, bytes: 8192 },
  ...{ partitions: 0, dependents: [] },
})

describe("names", () => {
  test("an unqualified name means the URL's schema, a qualified one its own", () => {
    const tables = tablesOf([order, found("shop", "Order", 5)], "public")
    expect(tables.target({ name: "Order" })).toEqual(existing(18))
    expect(tables.target({ schema: "shop", name: "Order" })).toEqual(existing(5))
    expect(tables.target({ schema: "attic", name: "Order" })).toEqual({ state: "absent" })
  })

  test("a search path holds until the migration ends", () => {
    const tables = tablesOf([order, found("shop", "Stock", 5)], "public")
    expect(tables.target({ name: "Stock" })).toEqual({ state: "absent" })
    tables.apply({ change: "search path", schemas: ["shop", "public"] })
    expect([tables.target({ name: "Stock" }), tables.target({ name: "Order" })]).toEqual([existing(5), existing(18)])
    tables.beginMigration()
    expect(tables.target({ name: "Stock" })).toEqual({ state: "absent" })
  })

  test("an index names its table", () => {
    const tables = tablesOf([index], "public")
    expect(tables.tableOf({ name: "Order_note_idx" })).toEqual({ name: "Order" })
    expect(tables.tableOf({ schema: "public", name: "Order_note_idx" })).toEqual({ schema: "public", name: "Order" })
    expect(tables.target({ name: "Order" })).toEqual(existing(18))
    expect(tables.tableOf({ name: "other" })).toBeUndefined()
  })
})

describe("what earlier statements change", () => {
  test("a created table is new, a dropped one is gone", () => {
    const tables = tablesOf([order], "public")
    tables.apply({ change: "create", relation: { name: "Refund" }, ifNotExists: false })
    expect(tables.isNew({ schema: "public", name: "Refund" })).toBe(true)
    tables.apply({ change: "drop", relation: { name: "Order" } })
    expect(tables.target({ name: "Order" })).toEqual({ state: "absent" })
    tables.apply({ change: "create", relation: { name: "Order" }, ifNotExists: false })
    expect(tables.isNew({ name: "Order" })).toBe(true)
  })

  test("IF NOT EXISTS leaves an existing table as it is", () => {
    const tables = tablesOf([order], "public")
    tables.apply({ change: "create", relation: { name: "Order" }, ifNotExists: true })
    tables.apply({ change: "create", relation: { name: "Refund" }, ifNotExists: true })
    expect([tables.isNew({ name: "Order" }), tables.isNew({ name: "Refund" })]).toEqual([false, true])
  })

  test("a renamed table keeps its size under its new name, in its schema or another", () => {
    const tables = tablesOf([order], "public")
    tables.apply({ change: "move", from: { name: "Order" }, to: { name: "Purchase" } })
    expect(tables.target({ name: "Purchase" })).toEqual(existing(18))
    tables.apply({ change: "move", from: { name: "Purchase" }, to: { schema: "attic", name: "Purchase" } })
    expect(tables.target({ schema: "attic", name: "Purchase" })).toEqual(existing(18))
    expect([tables.target({ name: "Order" }), tables.target({ name: "Purchase" })]).toEqual([
      { state: "absent" },
      { state: "absent" },
    ])
  })

  test("an index that an earlier statement makes is known by its table", () => {
    const tables = tablesOf([found("shop", "Stock", 5)], "public")
    tables.apply({ change: "create index", index: "i", table: { schema: "shop", name: "Stock" } })
    expect(tables.tableOf({ schema: "shop", name: "i" })).toEqual({ schema: "shop", name: "Stock" })
  })
})
