import { expect, test } from "vitest"
import { byName } from "../../src/history/checksum.js"

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
