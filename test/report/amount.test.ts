import { expect, test } from "vitest"
import { bytesText, rowsText } from "../../src/report/amount.js"

test.each([
  [0, "0 rows"],
  [1, "1 row"],
  [999, "999 rows"],
  [1000, "1 k rows"],
  [1499, "1.5 k rows"],
  [18_400, "18 k rows"],
  [999_600, "1 M rows"],
  [2_100_000, "2.1 M rows"],
  [18_000_000, "18 M rows"],
  [9_960_000_000, "10 G rows"],
])("%d rows are %s", (rows, text) => {
  expect(rowsText(rows)).toBe(text)
})

test.each([
  [0, "0 B"],
  [8192, "8 kB"],
  [639_631_360, "610 MB"],
  [4_509_715_660, "4.2 GB"],
])("%d bytes are %s, in steps of 1024 as PostgreSQL says it", (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})
