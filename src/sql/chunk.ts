import type { Node, SelectStmt } from "libpg-query"
import type { Parser, RawStatement, SyntaxProblem } from "./parser.js"
import { unitsOfBytes } from "./place.js"

type Boundary = "between statements" | "between rows"

/** A part of a source and the statements in it; all offsets in UTF-16 code units of the source. */
interface Chunk {
  readonly end: number
  readonly statements: readonly { readonly start: number; readonly end: number; readonly node: Node }[]
  /** Where it ends: after a statement, or between two rows of an INSERT whose others are in the next chunk. */
  readonly ends: Boundary
}

/** Where a part begins. */
interface Beginning {
  readonly from: number
  readonly begins: Boundary
  /** Whether a part may be larger than a megabyte, or "too long" is the answer. */
  readonly size: "limited" | "any"
}

const smallest = 16_384
/** Larger only where there is no other end: a long literal, which the caller can shorten. */
const largest = 1_048_576
const insert = "INSERT INTO rows VALUES "

/**
 * Parses the next part of a source: the parse tree of a 10 MB file in one piece takes most of a gigabyte. The part ends
 * at a semicolon, or between two rows of an INSERT. Where a statement ends is PostgreSQL's verdict, never a guess: a
 * part counts only where it parses by itself and ends as a statement does. A cut inside a string, a comment or a body
 * does not, and then another one is tried. A syntax problem's position counts from the part's beginning.
 */
export function parseChunk(
  parser: Parser,
  source: string,
  { from, begins, size: allowed }: Beginning,
): Chunk | SyntaxProblem | "too long" {
  const head = begins === "between rows" ? insert : ""
  for (let size = smallest; ; size *= 2) {
    if (size > largest && allowed === "limited") return "too long"
    for (const { end, next, close } of cuts(source, from, size)) {
      const sql = head + source.slice(from, end) + close
      const raw = parser.parse(sql)
      if ("position" in raw) {
        const isCause = close !== "" || (end < source.length && inCut.test(raw.message))
        if (!isCause) return { ...raw, position: Math.max(1, raw.position - head.length) }
      } else if (end === source.length || isWhole(raw, sql, close)) {
        return {
          end: next,
          statements: located(raw, sql, from - head.length),
          ends: close === "" ? "between statements" : "between rows",
        }
      }
    }
  }
}

/** The parser's messages for a script that is cut off. */
const inCut = /at end of input|^unterminated/

interface Cut {
  readonly end: number
  /** Where the next part begins. */
  readonly next: number
  /** What makes the part whole. */
  readonly close: "" | ";"
}

/** Where a part of about this size may end, the best first. */
function* cuts(source: string, from: number, size: number): Generator<Cut> {
  if (from + 2 * size >= source.length) {
    yield { end: source.length, next: source.length, close: "" }
    return
  }
  const start = from + size
  const text = source.slice(start, start + size)
  for (const [pattern, close] of ends) {
    for (const match of firsts(text.matchAll(pattern))) {
      const next = start + match.index + match[0].length
      yield { end: close === "" ? next : start + match.index + 1, next, close }
    }
  }
}

/** An end of line first: there is seldom one in a string. */
const ends: readonly (readonly [RegExp, Cut["close"]])[] = [
  [/;\r?\n/g, ""],
  [/;/g, ""],
  [/\)\s*,\s*\n\s*(?=\()/g, ";"],
  [/\)\s*,\s*(?=\()/g, ";"],
]

function* firsts<T>(all: Iterable<T>): Generator<T> {
  let left = 3
  for (const one of all) {
    if (left-- === 0) return
    yield one
  }
}

/** Whether the last semicolon ends the last statement; a semicolon before an end of line may have comments after it. */
function isWhole(raw: readonly RawStatement[], sql: string, close: Cut["close"]): boolean {
  const last = raw.at(-1)
  if (close === "" && sql.endsWith("\n")) return last === undefined || last.stmt_len !== undefined
  if (last?.stmt_len === undefined) return false
  if ((last.stmt_location ?? 0) + last.stmt_len !== Buffer.byteLength(sql) - 1) return false
  return close === "" || (last.stmt !== undefined && endsInRows(last.stmt))
}

/** Whether more rows may follow: after ORDER BY, ON CONFLICT or RETURNING a comma and a parenthesis mean something else. */
function endsInRows(node: Node): boolean {
  if (!("InsertStmt" in node)) return false
  const { selectStmt, onConflictClause, returningClause } = node.InsertStmt
  if (onConflictClause || returningClause || selectStmt === undefined || !("SelectStmt" in selectStmt)) return false
  const parts: readonly (keyof SelectStmt)[] = [
    "sortClause",
    "limitCount",
    "limitOffset",
    "lockingClause",
    "withClause",
  ]
  return selectStmt.SelectStmt.valuesLists !== undefined && parts.every((part) => !(part in selectStmt.SelectStmt))
}

function located(raw: readonly RawStatement[], sql: string, base: number): Chunk["statements"] {
  const ascii = Buffer.byteLength(sql) === sql.length
  let read = { units: 0, bytes: 0 }
  const reach = (bytes: number) => {
    read = { units: ascii ? bytes : unitsOfBytes(sql, bytes, read), bytes }
    return base + read.units
  }
  return raw.flatMap(({ stmt, stmt_location = 0, stmt_len }) => {
    if (stmt === undefined) return []
    const start = reach(stmt_location)
    const end = stmt_len === undefined ? base + sql.length : reach(stmt_location + stmt_len)
    return [{ node: stmt, start, end }]
  })
}
