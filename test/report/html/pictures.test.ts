import { expect, test } from "vitest"
import type { MigrationState } from "../../../src/history/compare.js"
import { historyEntries, historyFacts } from "../../../src/report/html/pictures/history.js"

const row = (name: string) => ({
  ...{ id: name, name, checksum: "", steps: 1, logs: null, rolledBackAt: null },
  ...{ startedAt: "2026-01-01T00:00:00.000Z", finishedAt: "2026-01-01T00:00:01.000Z" },
})
const migration = (name: string, text = "") => ({ name, text, path: `${name}/migration.sql`, checksum: "" })
const applied = (name: string, text?: string): MigrationState => ({
  ...{ state: "applied", name, row: row(name), migration: migration(name, text) },
})

const all: readonly MigrationState[] = [
  applied("1_init"),
  applied("2_orders"),
  applied("3_undo", "-- Undo: the schema goes back to what it was before 2_orders.\n\nDROP TABLE orders;\n"),
  {
    ...{ state: "pending", name: "4_next", migration: migration("4_next"), outOfOrder: true },
    rolledBack: { ...row("4_next"), rolledBackAt: "2026-02-01T00:00:00.000Z" },
  },
  { state: "failed", name: "5_bad", row: { ...row("5_bad"), finishedAt: null }, migration: undefined },
]

test("what an applied undo took back is undone", () => {
  expect(historyEntries(all).map(({ name, state, note }) => [name, state, note])).toEqual([
    ["1_init", "applied", undefined],
    ["2_orders", "undone", "by 3_undo"],
    ["3_undo", "applied", undefined],
    ["4_next", "pending", "older than an applied one, rolled back 2026-02-01"],
    ["5_bad", "failed", "1 statement done"],
  ])
})

test("only states that there are have a number, the worst first", () => {
  expect(historyFacts(historyEntries(all)).map(({ label, value }) => [label, value])).toEqual([
    ["Failed", "1"],
    ["Pending", "1"],
    ["Undone", "1"],
    ["Applied", "2"],
  ])
})
