import { expect, test } from "vitest"
import { excerpt, offsetOfPosition, placeAt } from "../../src/sql/place.js"

test.each([
  ["the start", "abc", 0, 1, 1],
  ["within a line", "abc", 2, 1, 3],
  ["the end", "abc", 3, 1, 4],
  ["beyond the end", "abc", 9, 1, 4],
  ["after \\n", "a\nb", 2, 2, 1],
  ["after \\r\\n", "a\r\nb", 3, 2, 1],
  ["after \\r", "a\rb", 2, 2, 1],
  ["after a character of two UTF-16 units", "😀b", 2, 1, 2],
  ["after a byte order mark, which is no column", "\ufeffab", 2, 1, 2],
  ["after a tab, which is one column", "\tb", 1, 1, 2],
])("the place of %s", (_, source, offset, line, column) => {
  expect(placeAt(source, offset)).toMatchObject({ line, column })
})

test.each([
  ["the first character", "abc", 1, 0],
  ["the third", "abc", 3, 2],
  ["after a character of several bytes", "éb", 2, 1],
  ["after a character of two UTF-16 units", "😀b", 2, 2],
  ["the end of the input", "abc", 4, 3],
  ["beyond the end", "abc", 99, 3],
])("PostgreSQL's position of %s", (_, sent, position, offset) => {
  expect(offsetOfPosition(sent, position)).toBe(offset)
})

test("an excerpt has the line, those before it, and a caret", () => {
  const source = `-- backfill\n\n-- prices with tax\nUPDATE "Order" SET "total" = "totl" * 1.2;\n`
  expect(excerpt(source, 4, 30)).toBe(
    [
      `    3 |  -- prices with tax`,
      `    4 |  UPDATE "Order" SET "total" = "totl" * 1.2;`,
      `      |                               ^`,
    ].join("\n"),
  )
})

test("at most two lines before, the numbers aligned", () => {
  const source = Array.from({ length: 12 }, (_, index) => `SELECT ${index + 1};`).join("\r\n")
  expect(excerpt(source, 10, 8).split("\n")).toEqual([
    "     8 |  SELECT 8;",
    "     9 |  SELECT 9;",
    "    10 |  SELECT 10;",
    "       |         ^",
  ])
})

test.each([
  ["the first line", "SELECT x", 1, 8, ["    1 |  SELECT x", "      |         ^"]],
  ["the end of the input", "SELECT", 1, 7, ["    1 |  SELECT", "      |        ^"]],
  ["a byte order mark", "\ufeffSELECT x", 1, 8, ["    1 |  SELECT x", "      |         ^"]],
  ["tabs", "\t\tx", 1, 3, ["    1 |      x", "      |      ^"]],
  ["wide characters", "'表😀' x", 1, 6, ["    1 |  '表😀' x", "      |         ^"]],
  ["combining marks", "'e\u0301' x", 1, 6, ["    1 |  'e\u0301' x", "      |      ^"]],
  ["what would move the cursor", "\u001b[2Jx", 1, 5, ["    1 |  \ufffd[2Jx", "      |      ^"]],
  ["a line that is not there", "SELECT 1", 7, 1, [""]],
])("%s", (_, source, line, column, rows) => {
  expect(excerpt(source, line, column)).toBe(rows.join("\n"))
})

test.each([
  ["at the start", 1],
  ["in the middle", 500],
  ["at the end", 999],
])("a long line is cut around a column %s, the caret under its character", (_, column) => {
  const line = Array.from({ length: 1000 }, (_, index) => (index + 1 === column ? "X" : "a")).join("")
  const [text = "", caret = ""] = excerpt(line, 1, column).split("\n")
  expect(text.length).toBeLessThan(115)
  expect(text[caret.indexOf("^")]).toBe("X")
  expect(text).toContain("…")
})

test("a line of 10 MB is cut as well", () => {
  const [text = "", caret = ""] = excerpt(`${"😀".repeat(2_500_000)}X`, 1, 2_500_001).split("\n")
  expect(text.endsWith("X")).toBe(true)
  expect(caret.endsWith("^")).toBe(true)
})
