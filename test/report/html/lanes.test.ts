import { expect, test } from "vitest"
import { lanes } from "../../../src/report/html/lanes.js"
import type { ShownLock, ShownMigration } from "../../../src/report/html/picture.js"

const lock = (change: Partial<ShownLock>): ShownLock => ({
  ...{ table: '"Order"', size: undefined, lock: "ACCESS EXCLUSIVE", waits: "readers and writers" },
  ...{ until: "end of migration", work: [] },
  ...change,
})

const migration = (...locks: readonly (readonly ShownLock[])[]): ShownMigration => ({
  ...{ name: "x", file: "x/migration.sql", sql: "", state: "pending", traits: [], scale: "estimated" },
  statements: locks.map((locks, at) => ({ line: at + 1, width: 1, time: undefined, rows: [], locks })),
})

const textOf = (shown: ShownMigration): string => (lanes(shown)?.text ?? "").replaceAll(/<[^>]*>/g, "")

test("it says who waits, from which line and until when", () => {
  expect(textOf(migration([], [lock({})]))).toContain(
    "Readers and writers wait from line 2 to the end of the migration",
  )
  expect(textOf(migration([lock({ waits: "writers", lock: "SHARE", until: "end of statement" })]))).toContain(
    "Writers wait while line 1 runs",
  )
  expect(textOf(migration([lock({ waits: "nobody", lock: "ROW EXCLUSIVE" })]))).toContain("Nobody waits")
})

test("a lock lasts to the end of the migration, its work to the end of the statement", () => {
  const { text } = lanes(migration([lock({ work: ["rewrites the table"] })], [lock({ table: '"User"' })])) ?? {
    text: "",
  }
  expect(text).toContain('<rect class="w-readers" x="0%" width="100%"')
  expect(text).toContain('<rect class="w-readers work" x="0%" width="50%"')
  expect(text).toContain("line 1 rewrites the table")
})

test("the table that keeps most people waiting comes first; without a lock there is no table", () => {
  const text = textOf(migration([lock({ table: '"User"', waits: "nobody" }), lock({})]))
  expect(text.indexOf("Order")).toBeLessThan(text.indexOf("User"))
  expect(lanes(migration([]))).toBeUndefined()
})
