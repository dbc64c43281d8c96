import { expect, test } from "vitest"
import { highlight } from "../../../src/report/html/sql.js"

const plain = (markup: { readonly text: string }): string =>
  markup.text
    .replaceAll(/<[^>]*>/g, "")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")

test.each([
  ["statements", "ALTER TABLE \"Ördér\" ADD COLUMN x int DEFAULT 1.5; -- é\n/* a\nb */ SELECT 'it''s' <> $1;"],
  ["a function", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $x$\nBEGIN\n  RETURN 'a'; -- why\nEND\n$x$;\n"],
  ["a string that does not end", "SELECT 'abc\nFROM x;"],
  ["nothing", ""],
  ["blank lines", "\n\n"],
])("no character is lost or added, line by line: %s", async (_, sql) => {
  expect((await highlight(sql)).lines.map(plain)).toEqual(sql.split("\n"))
})

test("keywords, strings, numbers, comments and quoted names are told apart, in a function's body as well", async () => {
  const { lines } = await highlight(`SELECT 1, 'a', "b" -- c\n;DO $$\nBEGIN RETURN; END\n$$`)
  expect(lines[0]?.text).toBe(
    '<i class="k">SELECT </i><i class="n">1</i>, <i class="s">&#39;a&#39;</i>, <i class="q">&quot;b&quot; </i><i class="c">-- c</i>',
  )
  expect(lines[2]?.text).toContain('<i class="k">BEGIN')
})

test("a statement ends before the comments of the next one", async () => {
  const { codeBefore } = await highlight("ALTER TABLE a\n  ADD b int;\n\n-- next\nDROP TABLE c;\n")
  expect([codeBefore(5), codeBefore(7), codeBefore(1)]).toEqual([2, 5, 0])
})
