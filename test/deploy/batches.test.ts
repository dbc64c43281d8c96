import { expect, test } from "vitest"
import { batches } from "../../src/deploy/batches.js"
import type { Prepared } from "../../src/deploy/prepare.js"

const prepared = (name: string, more: Partial<Prepared> = {}, bytes = 10): Prepared => ({
  migration: { name, path: name, content: Buffer.alloc(bytes), checksum: name },
  file: name,
  class: "transactional",
  sql: "-".repeat(bytes),
  statements: [],
  unparsed: false,
  ...more,
})

const sizes = (all: readonly Prepared[], begun?: Prepared) => [...batches(all, begun)].map((batch) => batch.length)

test("25 small transactional migrations go in one message", () => {
  expect(sizes(Array.from({ length: 57 }, (_, index) => prepared(`${index}`)))).toEqual([25, 25, 7])
})

test("what is not transactional, not parsed, or begun already stands alone, in its place", () => {
  const index = prepared("3", { class: "non-transactional" })
  const unknown = prepared("5", { unparsed: true })
  expect(sizes([prepared("1"), prepared("2"), index, prepared("4"), unknown, prepared("6")])).toEqual([2, 1, 1, 1, 1])
  const first = prepared("1")
  expect(sizes([first, prepared("2"), prepared("3")], first)).toEqual([1, 2])
})

test("large ones do not share a message", () => {
  expect(sizes([prepared("1"), prepared("2", {}, 70_000), prepared("3"), prepared("4")])).toEqual([1, 1, 2])
})

test("every migration comes once and in order", () => {
  const all = Array.from({ length: 40 }, (_, index) =>
    prepared(`${index}`, index % 7 === 0 ? { class: "self-managed" } : {}, index % 5 === 0 ? 60_000 : 10),
  )
  expect([...batches(all, undefined)].flat()).toEqual(all)
})
