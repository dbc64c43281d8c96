import { expect, test } from "vitest"
import { breaksOf, type State } from "../../src/check/client/breaks.js"
import type { FolderMigration } from "../../src/history/folder.js"

const migration = (name: string): FolderMigration => ({
  name,
  path: `${process.cwd()}/${name}.sql`,
  text: "",
  checksum: "",
})
const state = (name: string, ...columns: readonly string[]): State => ({
  migration: migration(name),
  columns: new Set(columns.map((column) => `public.Order.${column}`)),
})
const models = [{ model: "Order", schema: "public", table: "Order", all: [] }]
const states = [state("1_total", "id", "total"), state("2_index", "id", "total")]

const fileOf = (message: string, among = states) => {
  const after = [{ model: "Order", field: undefined, value: undefined, operation: "create", message }] as const
  return breaksOf({ base: "main", before: [], after, models, states: among }).map(({ file }) => file)
}

test("a column that the old client does not fill is the fault of the migration that added it", () => {
  expect(fileOf('null value in column "total" of relation "Order" violates not-null constraint')).toEqual([
    "1_total.sql",
  ])
})

test("where several migrations may be at fault, none is named", () => {
  expect(fileOf('new row for relation "Order" violates check constraint "positive"')).toEqual([undefined])
  expect(fileOf('new row violates check constraint "positive"', states.slice(0, 1))).toEqual(["1_total.sql"])
})
