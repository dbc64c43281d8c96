import { describe, expect, test } from "vitest"
import { betweenRefusal } from "../../src/history/adoption.js"
import { compare } from "../../src/history/compare.js"
import { digestOf, type FolderMigration } from "../../src/history/folder.js"
import {
  type Replaced,
  readSquash,
  refuseReplaced,
  replacedList,
  rowIdFor,
  squashMark,
} from "../../src/history/squash.js"
import { failedRow, migration, row } from "./migrations.js"

const [one, two, three, four] = ["20260101000000_one", "20260102000000_two", "20260103000000_three", "4"] as const
const before = [one, two, three].map((name) => migration(name))

function squashOf(all: readonly FolderMigration[]): FolderMigration {
  const replaces = all.map(
    ({ name, checksum, squash }): Replaced => ({ name, checksum, replaces: squash?.replaces ?? [] }),
  )
  const name = all.at(-1)?.name ?? ""
  const text = `${squashMark(all.length)} migrations\nCREATE TABLE t (n int);\n${replacedList(replaces)}`
  return { ...migration(name, text), squash: readSquash(name, text) }
}

const squashed = squashOf(before)
const again = squashOf([squashed, migration(four)])

describe("what a squashed migration replaces stands in its file", () => {
  test("with the checksums, in order, and what an earlier squash replaced within", () => {
    expect(squashed.squash?.replaces.map(({ name }) => name)).toEqual([one, two, three])
    expect(again.squash?.replaces.map(({ name, replaces }) => [name, replaces.length])).toEqual([
      [three, 3],
      [four, 0],
    ])
    expect(readSquash(one, "CREATE TABLE t (n int);")).toBeUndefined()
  })

  test("with other line ends it is the same", () => {
    expect(readSquash(three, squashed.text.replaceAll("\n", "\r\n"))).toEqual(squashed.squash)
  })

  test("a list that is not whole, or of another migration, is refused", () => {
    const cut = squashed.text.slice(0, squashed.text.lastIndexOf("-- "))
    expect(() => readSquash(three, cut)).toThrow(/does not list what it replaces/)
    expect(() => readSquash(four, squashed.text)).toThrow(/does not list what it replaces/)
  })

  test("so is a folder that still holds a replaced one", () => {
    expect(() => refuseReplaced([migration(two), squashed])).toThrow(/replaces 1 migrations that are still/)
    expect(() => refuseReplaced([squashed, migration(four)])).not.toThrow()
  })
})

describe("a database", () => {
  const all = [row(one), row(two), row(three)]

  test("with all of the replaced ones is to adopt it, and has nothing pending or missing", () => {
    const found = compare([squashed, migration(four)], [...all, row(four)])
    expect(found.adoptions).toMatchObject([{ migration: { name: three }, names: [one, two, three], edited: [] }])
    expect(found.all.map(({ name, state }) => [name, state])).toEqual([
      [three, "applied"],
      [four, "applied"],
    ])
  })

  test("where one of them was edited adopts it too, and the edit is named", () => {
    const found = compare([squashed], [row(one, { checksum: "0".repeat(64) }), row(two), row(three)])
    expect(found.adoptions).toMatchObject([{ edited: [one] }])
  })

  test("that has adopted it, or has run it, is up to date", () => {
    const found = compare([squashed], [row(three, { checksum: squashed.checksum })])
    expect([found.adoptions, found.inBetween, found.applied.length, found.edited]).toEqual([[], [], 1, []])
  })

  test("that has adopted it before its file was edited is one whose file was edited", () => {
    const found = compare([squashed], [row(three, { checksum: "0".repeat(64) })])
    expect([found.inBetween, found.edited.map(({ name }) => name)]).toEqual([[], [three]])
  })

  test("without a history runs it", () => {
    expect(compare([squashed], []).pending.map(({ name }) => name)).toEqual([three])
  })

  test("with some of them is in between, and the refusal names what is missing", () => {
    const found = compare([squashed], [row(one), row(three)])
    expect(found.inBetween).toMatchObject([{ migration: { name: three }, applied: 2, missing: [two] }])
    expect([found.missing, found.pending.map(({ name }) => name)]).toEqual([[], [three]])
    const [between] = found.inBetween
    expect(between && betweenRefusal(between)).toMatchObject({
      code: "L1851",
      message: `the database has 2 of the 3 migrations that the squashed ${three} replaces, and not all`,
    })
  })

  test("with a failed one among them has failed, which comes first", () => {
    const found = compare([squashed], [row(one), failedRow(two)])
    expect(found.failed.map(({ name }) => name)).toEqual([two])
  })

  test("of before an earlier squash adopts the later one at once, and so does one of after it", () => {
    expect(compare([again], [...all, row(four)]).adoptions).toMatchObject([{ names: [one, two, three, four] }])
    const adopted = row(three, { checksum: squashed.checksum })
    expect(compare([again], [adopted, row(four)]).adoptions).toMatchObject([{ names: [three, four] }])
    expect(compare([again], [adopted]).inBetween).toMatchObject([{ missing: [four] }])
  })
})

test("a release of before the squash finds all its migrations applied where the history was rewritten", () => {
  const id = rowIdFor(squashed, digestOf)
  expect(id).toMatch(/^squash-[0-9a-f]{16}-[0-9a-f]{12}$/)
  const adopted = row(three, { id, checksum: squashed.checksum })
  const found = compare(before, [adopted])
  expect(found.all.map(({ state }) => state)).toEqual(["applied", "applied", "applied"])
  expect(found.unsquashed).toEqual([three])
  expect(compare([...before.slice(1)], [adopted]).pending.map(({ name }) => name)).toEqual([two])
  expect(rowIdFor(migration(one), digestOf)).toMatch(/^[0-9a-f-]{36}$/)
})
