import { expect, test } from "vitest"
import { breaksOf, type State } from "../../src/check/client/breaks.js"
import type { Suspects } from "../../src/client/suspects.js"
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

const problemsOf = (message: string, suspects: Suspects, among = states) => {
  const after = [
    { model: "Order", field: undefined, value: undefined, operation: "create", message, suspects },
  ] as const
  return breaksOf({ base: "main", before: [], after, models, states: among })
}
const none: Suspects = { fields: [], unfilled: [] }

test("a column that the old client does not fill is the fault of the migration that added it", () => {
  // In the words of a German server.
  const message = "NULL-Wert in Spalte »total« von Relation »Order« verletzt Not-Null-Constraint"
  expect(problemsOf(message, { fields: [], unfilled: ["total"] })).toMatchObject([
    { file: "1_total.sql", object: "Order", next: expect.stringContaining("give the new column a default") },
  ])
})

test("every field that is to blame is a problem of its own", () => {
  const problems = problemsOf("", { fields: ["note", "name"], unfilled: ["total"] })
  expect(problems.map(({ object }) => object)).toEqual(["Order.note", "Order.name", "Order"])
})

test("where several migrations may be at fault, none is named", () => {
  const message = 'new row for relation "Order" violates check constraint "positive"'
  const files = (among = states) => problemsOf(message, none, among).map(({ file }) => file)
  expect(files()).toEqual([undefined])
  expect(files(states.slice(0, 1))).toEqual(["1_total.sql"])
})
