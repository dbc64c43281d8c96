import { expect, test } from "vitest"
import { batches } from "../../../src/deploy/apply/apply.js"
import type { Prepared } from "../../../src/deploy/apply/prepare.js"

const prepared = (name: string, more: Partial<Prepared> = {}, bytes = 10): Prepared => ({
  migration: { name, path: name, text: "-".repeat(bytes), checksum: name },
  file: name,
  class: "transactional",
  sql: "-".repeat(bytes),
  statements: [],
  start: "new",
  unparsed: undefined,
  ...more,
})

async function* inTurn(all: readonly Prepared[]) {
  yield* all
}

async function grouped(all: readonly Prepared[]): Promise<readonly (readonly Prepared[])[]> {
  const found: (readonly Prepared[])[] = []
  for await (const batch of batches(inTurn(all))) found.push(batch)
  return found
}

const sizes = async (all: readonly Prepared[]) => (await grouped(all)).map((batch) => batch.length)

test("small transactional migrations share messages, each twice as long as the one before, up to 64", async () => {
  expect(await sizes(Array.from({ length: 200 }, (_, index) => prepared(`${index}`)))).toEqual([8, 16, 32, 64, 64, 16])
})

test("what is not transactional, not parsed, or resumed is sent alone, in its place", async () => {
  const index = prepared("3", { class: "non-transactional" })
  const unknown = prepared("5", {
    unparsed: { kind: "unparsed", message: "syntax error", offset: 0, line: 1, column: 1 },
  })
  expect(await sizes([prepared("1"), prepared("2"), index, prepared("4"), unknown, prepared("6")])).toEqual([
    2, 1, 1, 1, 1,
  ])
  expect(await sizes([prepared("1", { start: "resumed" }), prepared("2"), prepared("3")])).toEqual([1, 2])
})

test("large ones do not share a message", async () => {
  expect(await sizes([prepared("1"), prepared("2", {}, 70_000), prepared("3"), prepared("4")])).toEqual([1, 1, 2])
})

test("every migration comes once and in order", async () => {
  const all = Array.from({ length: 40 }, (_, index) =>
    prepared(`${index}`, index % 7 === 0 ? { class: "self-managed" } : {}, index % 5 === 0 ? 60_000 : 10),
  )
  expect((await grouped(all)).flat()).toEqual(all)
})
