import { describe, expect, test } from "vitest"
import { compare } from "../../src/history/compare.js"
import { failedRow, migration, rolledBackRow, row } from "./migrations.js"

const [one, two, three] = ["20260101000000_one", "20260102000000_two", "20260103000000_three"] as const
const folder = [one, two, three].map((name) => migration(name))

const states = (recorded: Parameters<typeof compare>[1], from = folder) =>
  compare(from, recorded).all.map(({ name, state }) => `${name.slice(15)} ${state}`)

describe("each migration has one state", () => {
  test("without a row it is pending", () => {
    expect(states([])).toEqual(["one pending", "two pending", "three pending"])
  })

  test("with a finished row it is applied", () => {
    expect(states([row(one), row(two)])).toEqual(["one applied", "two applied", "three pending"])
  })

  test("with a finished row and another content it is edited, and counts as applied", () => {
    const comparison = compare(folder, [row(one, { checksum: "0".repeat(64) })])
    expect(comparison.edited.map(({ name }) => name)).toEqual([one])
    expect(comparison.applied.map(({ name }) => name)).toEqual([one])
  })

  test("with two finished rows it is applied once, by the first, and named as a duplicate", () => {
    const comparison = compare(folder, [row(one), row(one, { id: "again", checksum: "0".repeat(64) }), row(two)])
    expect(comparison.applied.map(({ name, row: { id } }) => [name, id])).toEqual([
      [one, `id of ${one}`],
      [two, `id of ${two}`],
    ])
    expect([comparison.duplicates, comparison.edited]).toEqual([[one], []])
    const rolledBack = row(one, { id: "again", rolledBackAt: "2026-01-02T00:00:00.000Z" })
    expect(compare(folder, [row(one), rolledBack]).duplicates).toEqual([])
  })

  test("with a row that began and did not end it has failed", () => {
    expect(states([row(one), failedRow(two)])).toEqual(["one applied", "two failed", "three pending"])
  })

  test("with a row that was rolled back it is pending again, and the row is at hand", () => {
    const [, pending] = compare(folder, [row(one), rolledBackRow(two)]).all
    expect(pending).toMatchObject({ state: "pending", rolledBack: { name: two } })
  })

  test("recorded but not in the folder it is missing", () => {
    expect(states([row(one), row(two)], [migration(two)])).toEqual(["one missing", "two applied"])
  })

  test("failed and not in the folder it is failed: it stops a deploy all the same", () => {
    expect(states([failedRow(one)], [migration(two)])).toEqual(["one failed", "two pending"])
  })

  test("rolled back and not in the folder it is nothing", () => {
    expect(states([rolledBackRow(one)], [migration(two)])).toEqual(["two pending"])
  })
})

describe("of several rows of one migration", () => {
  test("the applied one outweighs those that were rolled back, whatever their order", () => {
    const rows = [rolledBackRow(one), row(one), rolledBackRow(one)]
    expect(states(rows)).toEqual(["one applied", "two pending", "three pending"])
  })

  test("a failed one outweighs an applied one, as it stops Prisma too", () => {
    expect(states([row(one), failedRow(one)])[0]).toBe("one failed")
    expect(states([failedRow(one), row(one)])[0]).toBe("one failed")
  })

  test("the last of those that were rolled back is shown", () => {
    const last = { ...rolledBackRow(one), id: "last" }
    expect(compare(folder, [rolledBackRow(one), last]).pending[0]?.rolledBack?.id).toBe("last")
  })
})

describe("the order", () => {
  test("a pending migration before an applied one is out of order", () => {
    const { pending } = compare(folder, [row(two)])
    expect(pending.map(({ name, outOfOrder }) => [name, outOfOrder])).toEqual([
      [one, true],
      [three, false],
    ])
  })

  test("a failed or rolled back migration puts nothing out of order", () => {
    expect(compare(folder, [failedRow(two)]).pending[0]?.outOfOrder).toBe(false)
    expect(compare(folder, [rolledBackRow(two)]).pending[0]?.outOfOrder).toBe(false)
  })
})

describe("a database is ahead of the folder", () => {
  const ahead = (names: string[], recorded: string[]) =>
    compare(
      names.map((name) => migration(name)),
      recorded.map((name) => row(name)),
    ).ahead

  test("when all that the folder lacks is newer and nothing is pending", () => {
    expect(ahead([one], [one, two, three])).toBe(true)
  })

  test("not when something is pending, or an older one is missing, or the folder is empty", () => {
    expect(ahead([one, two], [one, three])).toBe(false)
    expect(ahead([two], [one, two])).toBe(false)
    expect(ahead([], [one])).toBe(false)
    expect(ahead([one], [one])).toBe(false)
  })
})
