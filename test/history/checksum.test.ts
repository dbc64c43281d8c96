import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { byName, checksumOf, digestOf, matchesChecksum } from "../../src/history/folder.js"

const unix = "SELECT 1;\nSELECT 2;\n"
const windows = "SELECT 1;\r\nSELECT 2;\r\n"
const mixed = "SELECT 1;\r\nSELECT 2;\n"

const matches = (file: string, recorded: string) => matchesChecksum(file, checksumOf(file), checksumOf(recorded))

test("it is sha256 in hexadecimal over the file's bytes", () => {
  expect(checksumOf("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  expect(checksumOf("é")).toBe(
    createHash("sha256")
      .update(Buffer.from([0xc3, 0xa9]))
      .digest("hex"),
  )
})

test("other line ends are no edit, in either direction", () => {
  expect(matches(unix, windows)).toBe(true)
  expect(matches(windows, unix)).toBe(true)
  expect(matches(mixed, unix)).toBe(true)
})

test("what was recorded with mixed line ends is known only by them, as for Prisma", () => {
  expect(matches(mixed, mixed)).toBe(true)
  expect(matches(unix, mixed)).toBe(false)
  expect(matches(mixed, windows)).toBe(false)
})

test("a checksum that an early Prisma wrote, each byte without its leading zero, is the same", () => {
  const recorded = Buffer.from(checksumOf(unix), "hex").reduce((text, byte) => text + byte.toString(16), "")
  expect(recorded.length).toBeLessThan(64)
  expect(matchesChecksum(unix, checksumOf(unix), recorded)).toBe(true)
  expect(matchesChecksum(windows, checksumOf(windows), recorded)).toBe(true)
  expect(matchesChecksum(mixed.trim(), checksumOf(mixed.trim()), recorded)).toBe(false)
})

test("another character is an edit, a byte order mark too", () => {
  expect(matches(unix, `${unix}\n`)).toBe(false)
  expect(matches(`\uFEFF${unix}`, unix)).toBe(false)
  expect(matches(unix, `\uFEFF${unix}`)).toBe(false)
  expect(matches(`\uFEFF${windows}`, `\uFEFF${unix}`)).toBe(true)
})

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

test("timestamps decide", () => {
  expect(["20260102000000_a", "20260101000000_z", "20251231235959_m"].sort(byName)).toEqual([
    "20251231235959_m",
    "20260101000000_z",
    "20260102000000_a",
  ])
})

test("other names, and equal timestamps, run in the order of Prisma 7's own sort", () => {
  const names = [
    ...["20260101000000_b", "20260101000000_A", "20260101000000_a", "20260101000000", "20260101000000-x"],
    ...["1_x", "10_x", "2_x", "01_init", "init", "Äpfel", "z", "0_init", "20260101_short"],
  ]
  const prisma = names.toSorted((a, b) => a.localeCompare(b, "en-US"))
  expect(names.toSorted(byName)).toEqual(prisma)
  expect(names.toReversed().toSorted(byName)).toEqual(prisma)
})

test("names that a locale takes for equal still have one order", () => {
  const [composed, decomposed] = ["\u00e9", "e\u0301"]
  expect(byName(composed, decomposed)).toBe(-byName(decomposed, composed))
  expect(byName(composed, decomposed)).not.toBe(0)
})
