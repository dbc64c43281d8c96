import type { Node } from "libpg-query"
import type { Parser, RawStatement, SyntaxProblem } from "./parser.js"
import { unitsOfBytes } from "./place.js"

/** A part of a source and the statements in it; all offsets in UTF-16 code units of the source. */
export interface Chunk {
  readonly end: number
  readonly statements: readonly { readonly start: number; readonly end: number; readonly node: Node }[]
}

const smallest = 65_536

/**
 * Parses the next part of a source, up to an end of line after a semicolon: the parse tree of a 10 MB file in one piece
 * takes most of a gigabyte. A part counts only where it parses by itself and its last statement has its semicolon. A cut
 * inside a string, a comment or a body does not, and then twice as much is tried; so where a statement ends is
 * PostgreSQL's verdict, never a guess. A syntax problem's position counts from `from`.
 */
export function parseChunk(parser: Parser, source: string, from: number): Chunk | SyntaxProblem {
  for (let size = smallest; ; size *= 2) {
    const end = endOfLine(source, from + size)
    const sql = source.slice(from, end)
    const raw = parser.parse(sql)
    if (!("position" in raw)) {
      const complete = end === source.length || raw.length === 0 || raw.at(-1)?.stmt_len !== undefined
      if (complete) return { end, statements: located(raw, sql, from) }
    } else if (end === source.length) {
      return raw
    }
  }
}

function endOfLine(source: string, from: number): number {
  const cut = /;\r?\n/g
  cut.lastIndex = from
  return cut.test(source) ? cut.lastIndex : source.length
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
