import { expect, test } from "vitest"
import { digestOf } from "../../src/history/checksum.js"

const a = { name: "20260101000000_a", checksum: "aa" }
const b = { name: "20260102000000_b", checksum: "bb" }

test("the same names and checksums give the same digest", () => {
  expect(digestOf([a, b])).toBe(digestOf([{ ...a }, { ...b }]))
  expect(digestOf([])).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
})

test("a name, a checksum, the order and the border between them all count", () => {
  const others = [
    [b, a],
    [a],
    [{ ...a, checksum: "ab" }, b],
    [{ name: "20260101000000_aa", checksum: "a" }, b],
    [{ name: `${a.name}\0${a.checksum}\0${b.name}`, checksum: b.checksum }].slice(1),
  ]
  for (const other of others) expect(digestOf(other)).not.toBe(digestOf([a, b]))
})
