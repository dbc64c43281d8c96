import { expect, test } from "vitest"
import { offsetOfPosition, placeAt } from "../../src/sql/place.js"

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
