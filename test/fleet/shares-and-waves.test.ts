import { expect, test } from "vitest"
import { inShard, parseShard, shareOf } from "../../src/fleet/shard.js"
import { failureBudget, parseCanary, stagesOf, wavesOf } from "../../src/fleet/waves.js"
import { targets } from "./targets.js"

const none = { shard: undefined, shards: 0, completionIndex: undefined }
const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name)

test("every target is in exactly one share, whatever the order of the list and whoever else is in it", () => {
  const all = targets(200)
  const shares = [1, 2, 3, 4, 5].map((index) => names(inShard(all, { index, count: 5 })))
  expect(shares.flat().sort()).toEqual(names(all).sort())
  expect(Math.min(...shares.map((share) => share.length))).toBeGreaterThan(20)
  const fewer = all.filter((_, index) => index % 3 > 0).toReversed()
  for (const target of fewer)
    expect(names(inShard(fewer, { index: shareOf(target.key, 5), count: 5 }))).toContain(target.name)
})

test("the share is the same in every version", () => {
  expect(["tenant_1", "tenant_2", "tenant_3"].map((key) => shareOf(key, 16))).toEqual([9, 14, 1])
})

test("--shard counts from 1; JOB_COMPLETION_INDEX counts from 0", () => {
  expect(parseShard(none)).toBeUndefined()
  expect(parseShard({ ...none, shard: "3/16" })).toEqual({ index: 3, count: 16 })
  expect(parseShard({ ...none, shards: 16, completionIndex: "0" })).toEqual({ index: 1, count: 16 })
  expect(parseShard({ ...none, shards: 16, completionIndex: "15" })).toEqual({ index: 16, count: 16 })
  // An Indexed Job's pods have the variable, whatever they run.
  expect(parseShard({ ...none, completionIndex: "4" })).toBeUndefined()
})

test("shares that do not exist are refused", () => {
  for (const shard of ["0/16", "17/16", "3", "a/b", "-1/2"])
    expect(() => parseShard({ ...none, shard })).toThrowError(expect.objectContaining({ code: "L2004" }))
  for (const completionIndex of [undefined, "", "16", "x"])
    expect(() => parseShard({ ...none, shards: 16, completionIndex })).toThrowError(
      expect.objectContaining({ code: "L2004" }),
    )
})

test("waves go up to a number or a share of the targets; the last is the rest", () => {
  const sizes = (count: number, ...canary: readonly string[]) =>
    wavesOf(targets(count), parseCanary(canary)).map((wave) => wave.length)
  expect(sizes(100, "1", "10", "50%")).toEqual([1, 9, 40, 50])
  expect(sizes(5, "1", "10", "50%")).toEqual([1, 4])
  expect(sizes(7, "50%")).toEqual([4, 3])
  expect(sizes(7)).toEqual([7])
  expect(sizes(0, "1")).toEqual([])
  expect(sizes(3, "1", "100%")).toEqual([1, 2])
  expect(() => parseCanary(["ten"])).toThrowError(expect.objectContaining({ code: "L2004" }))
  expect(() => parseCanary(["101%"])).toThrowError(expect.objectContaining({ code: "L2004" }))
})

test("a lower order goes first, into the first wave, and is done before a higher one begins", () => {
  const [a, b, c] = targets(3)
  const list = [a, b, c].flatMap((target, index) => (target ? [{ ...target, order: 2 - index }] : []))
  const waves = wavesOf(list, parseCanary(["1"]))
  expect(waves.map(names)).toEqual([["tenant_3"], ["tenant_2", "tenant_1"]])
  expect(stagesOf(waves[1] ?? []).map(names)).toEqual([["tenant_2"], ["tenant_1"]])
})

test("the failures that are accepted: a number, or a share rounded down", () => {
  expect([failureBudget("0", 1000), failureBudget("5", 10), failureBudget("2%", 149)]).toEqual([0, 5, 2])
  expect(() => failureBudget("1.5", 10)).toThrowError(expect.objectContaining({ code: "L2004" }))
})
