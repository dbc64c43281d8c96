import type { Node } from "libpg-query"
import { parseChunk } from "./chunk.js"
import { loadParser, type Parser } from "./parser.js"
import { advance, firstPlace, offsetOfPosition, placeAt } from "./place.js"
import { endsTransaction, transactionEndingProcedures } from "./procedural.js"

/** One statement of a script. */
export interface Statement {
  /** 0-based. */
  readonly index: number
  /** Without the semicolon, and without the comments and spaces around. */
  readonly text: string
  /** PostgreSQL's parse tree. */
  readonly node: Node
  /** UTF-16 code units in the source. */
  readonly start: number
  readonly end: number
  /** Of the first token, 1-based; the column in characters. */
  readonly line: number
  readonly column: number
  /** A DO block, or a CALL of a procedure of this script, that commits or rolls back itself. */
  readonly endsTransaction: boolean
}

export interface Script {
  readonly kind: "script"
  readonly statements: readonly Statement[]
}

/** A script that PostgreSQL's grammar refuses, and where. */
export interface Unparsed {
  readonly kind: "unparsed"
  readonly message: string
  /** UTF-16 code units in the source. */
  readonly offset: number
  readonly line: number
  readonly column: number
  /** Where the parser stopped at one of psql's own commands, such as `\connect`, which no server understands. */
  readonly metaCommand?: string
}

/** Splits a script into its statements with PostgreSQL's own parser. Never throws on bad SQL: the server may judge. */
export async function parseScript(source: string): Promise<Script | Unparsed> {
  const parser = await loadParser()
  const nul = source.indexOf("\0")
  if (nul >= 0) return unparsed(source, nul, "a NUL character, which PostgreSQL does not take")

  const found: Omit<Statement, "endsTransaction">[] = []
  let place = firstPlace(source)
  while (place.offset < source.length) {
    const chunk = parseChunk(parser, source, place.offset)
    if ("message" in chunk) {
      const offset = place.offset + offsetOfPosition(source.slice(place.offset), chunk.position)
      return unparsed(source, offset, chunk.message)
    }
    for (const { start, end, node } of chunk.statements) {
      place = advance(source, place, start)
      const { line, column } = place
      const text = withoutTrailingComments(parser, source.slice(start, end))
      found.push({ index: found.length, text, node, start, end: start + text.length, line, column })
    }
    place = advance(source, place, chunk.end)
  }
  const procedures = transactionEndingProcedures(parser, found)
  const statements = found.map((each) => ({ ...each, endsTransaction: endsTransaction(parser, each, procedures) }))
  return { kind: "script", statements }
}

function unparsed(source: string, offset: number, message: string): Unparsed {
  const { line, column } = placeAt(source, offset)
  const metaCommand = /^\\[^\s\\]*/.exec(source.slice(offset, offset + 100))?.[0]
  return { kind: "unparsed", message, offset, line, column, ...(metaCommand === undefined ? {} : { metaCommand }) }
}

/** A comment left at the end would swallow whatever a caller appends. */
function withoutTrailingComments(parser: Parser, text: string): string {
  const trimmed = text.trimEnd()
  const lastLine = trimmed.slice(trimmed.lastIndexOf("\n") + 1)
  if (!lastLine.includes("--") && !trimmed.endsWith("*/")) return trimmed
  const token = parser.scan(trimmed).findLast(({ tokenName }) => !tokenName.endsWith("_COMMENT"))
  return Buffer.from(trimmed).subarray(0, token?.end).toString()
}
