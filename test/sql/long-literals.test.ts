import { beforeAll, expect, test } from "vitest"
import { withoutLongLiterals } from "../../src/sql/long-literals.js"
import { loadParser, type Parser } from "../../src/sql/parser.js"
import { randomFor } from "../faults/random.js"

let parser: Parser
beforeAll(async () => {
  parser = await loadParser()
})

const emptied = (source: string) => withoutLongLiterals(source, 0, 0)

test.each([
  ["strings", "SELECT 'a''b', '', 'c'", "SELECT '', '', ''"],
  ["backslashes that are literal", String.raw`SELECT 'a\', 'b'`, "SELECT '', ''"],
  ["backslashes that escape", String.raw`SELECT E'a\'b', e'\\', 'c\'`, "SELECT E'', e'', ''"],
  ["an E that ends a name", String.raw`SELECT te'a\', 'b'`, "SELECT te'', ''"],
  ["E'…' that goes on in another line", "SELECT E'a' -- '\n '\\'b', 'c'", "SELECT E'' -- '\n '', ''"],
  ["bits that go on in another line", "SELECT b'0'\n'''1', 'c'", "SELECT b''\n'''', ''"],
  ["bits, which have no doubled quote", "SELECT b'01''2'", "SELECT b''''"],
  [
    "dollar quotes, also inside of each other",
    "SELECT $$a$b$c$$, $b$ $$ '$b$, $1, a$b$c",
    "SELECT $$$$, $b$$b$, $1, a$b$c",
  ],
  ["comments, also inside of each other", "/* a /* ' */ */ SELECT 1 -- '\n;", "/**/ SELECT 1 --\n;"],
  ["a comment in an operator", "SELECT 1 +-- '\n2 +/* ' */3", "SELECT 1 +--\n2 +/**/3"],
  ["names stay", `SELECT "a'""" AS "$$"`, `SELECT "a'""" AS "$$"`],
  ["what does not end stays", "SELECT 'a', 'b", "SELECT '', 'b"],
])("%s", (_what, source, expected) => {
  expect(emptied(source).text).toBe(expected)
})

test("only what is longer than a limit is emptied, from a place on, and every offset leads back to the source", () => {
  const source = `SELECT 'aaaa'; SELECT 'é😀bbb', $$c$$, 'dddd' -- 😀\n;`
  const { text, toSource } = withoutLongLiterals(source, 15, 3)
  expect(text).toBe("SELECT '', $$c$$, '' -- 😀\n;")
  for (const what of ["SELECT", "', $$c", "c", "', '", "' --", ";"]) {
    expect(source.slice(toSource(text.lastIndexOf(what)))).toMatch(what.slice(0, 1))
  }
  expect(source.slice(toSource(text.indexOf("$$")), toSource(text.lastIndexOf("$$")))).toBe("$$c")
  expect(toSource(text.length)).toBe(source.length)
})

const fragments = [
  ..."'\"$\\ex1+-;, \n\té😀",
  "''",
  "E'",
  "e'",
  "b'",
  "x'",
  "U&'",
  "$$",
  "$a$",
  "--",
  "/*",
  "*/",
  "$1",
  "a",
]

test("PostgreSQL's lexer finds the same tokens without the contents, for sources at random", () => {
  const random = randomFor("lexer")
  let compared = 0
  for (let round = 0; round < 8_000; round++) {
    const source = Array.from({ length: 3 + random.below(20) }, () => fragments[random.below(fragments.length)]).join(
      "",
    )
    const tokens = tokensOf(source)
    if (tokens === undefined) continue
    compared++
    expect(tokensOf(emptied(source).text), source).toEqual(tokens)
  }
  expect(compared).toBeGreaterThan(500)
})

/** Undefined where the lexer refuses the source: a literal does not end, or an escape in it means nothing. */
function tokensOf(source: string): readonly string[] | undefined {
  try {
    return parser.scan(source).map(({ tokenName }) => tokenName)
  } catch {
    return undefined
  }
}
