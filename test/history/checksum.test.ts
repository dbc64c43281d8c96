import { createHash } from "node:crypto"
import { expect, test } from "vitest"
import { checksumOf, matchesChecksum } from "../../src/history/checksum.js"

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

test("another character is an edit, a byte order mark too", () => {
  expect(matches(unix, `${unix}\n`)).toBe(false)
  expect(matches(`\uFEFF${unix}`, unix)).toBe(false)
  expect(matches(unix, `\uFEFF${unix}`)).toBe(false)
  expect(matches(`\uFEFF${windows}`, `\uFEFF${unix}`)).toBe(true)
})
