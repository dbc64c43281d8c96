import { setImmediate } from "node:timers/promises"
import type { Node } from "libpg-query"
import { parseChunk } from "./chunk.js"
import { type Shortened, withoutLongLiterals } from "./long-literals.js"
import { loadParser, type Parser } from "./parser.js"
import { advance, firstPlace, offsetOfPosition, type Place, placeAt } from "./place.js"
import { mentions, relationOfList } from "./tree.js"

/** One statement of a script. */
export interface Statement {
  /** 0-based. */
  readonly index: number
  /** Without the semicolon, and without the comments and spaces around. */
  readonly text: string
  /**
   * PostgreSQL's parse tree; of an INSERT of very many rows, only the first of them. In a file with literals of a
   * megabyte, its long literals are empty here.
   */
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
  const statements: Statement[] = []
  const problem = await eachStatement(source, (statement) => statements.push(statement))
  return problem ?? { kind: "script", statements }
}

/** Reads a script's statements in order and keeps none of them; resolves to what the grammar refuses. */
export async function eachStatement(
  source: string,
  take: (statement: Statement) => void,
): Promise<Unparsed | undefined> {
  const reading = statementsIn(await loadParser(), source)
  let paused = 0
  for (let next = reading.next(); ; next = reading.next()) {
    if (next.done) return next.value
    take(next.value)
    // Whatever else the process has to do, a signal above all, does not wait until a large file is parsed.
    if (next.value.end - paused > pauseEvery) {
      paused = next.value.end
      await setImmediate()
    }
  }
}

const pauseEvery = 1_000_000

/** A script's statement by its index; undefined where there is none, or where the grammar refuses the script before it. */
export async function statementAt(source: string, index: number): Promise<Statement | undefined> {
  for (const statement of statementsIn(await loadParser(), source)) if (statement.index === index) return statement
  return undefined
}

function* statementsIn(parser: Parser, source: string): Generator<Statement, Unparsed | undefined> {
  const nul = source.indexOf("\0")
  if (nul >= 0) return unparsed(source, nul, "a NUL character, which PostgreSQL does not take")

  const procedures = new Set<string>()
  let place = firstPlace(source)
  let index = 0
  /** What is parsed: the source, or where it has very long literals a copy of the rest without what they hold. */
  let { text, toSource }: Shortened = { text: source, toSource: (offset) => offset }
  let from = place.offset
  let size: "limited" | "any" = "limited"
  /** An INSERT whose rows are in several chunks; its parse tree has the first of them. */
  let begun: { readonly node: Node; readonly place: Place } | undefined
  while (from < text.length) {
    const chunk = parseChunk(parser, text, {
      from,
      begins: begun === undefined ? "between statements" : "between rows",
      size,
    })
    if (chunk === "too long") {
      ;({ text, toSource } = withoutLongLiterals(source, from))
      from = 0
      size = "any"
      continue
    }
    if ("message" in chunk) {
      return unparsed(source, toSource(from + offsetOfPosition(text.slice(from), chunk.position)), chunk.message)
    }
    for (const [position, found] of chunk.statements.entries()) {
      if (begun === undefined || position > 0) {
        place = advance(source, place, toSource(found.start))
        begun = { node: found.node, place }
      }
      if (chunk.ends === "between rows" && position === chunk.statements.length - 1) break
      const { node } = begun
      const { offset: start, line, column } = begun.place
      // Of an INSERT that began in an earlier chunk, the rows in this one.
      const last = Math.max(from, found.start)
      const end = toSource(last + lengthWithoutComments(parser, text.slice(last, found.end)))
      const statement = { text: source.slice(start, end), node }
      begun = undefined
      noteProcedure(parser, statement, procedures)
      const ends = endsTransaction(parser, statement, procedures)
      yield { index: index++, ...statement, start, end, line, column, endsTransaction: ends }
    }
    from = chunk.end
    place = advance(source, place, toSource(from))
  }
  return undefined
}

function unparsed(source: string, offset: number, message: string): Unparsed {
  const { line, column } = placeAt(source, offset)
  const metaCommand = /^\\[^\s\\]*/.exec(source.slice(offset, offset + 100))?.[0]
  return { kind: "unparsed", message, offset, line, column, ...(metaCommand === undefined ? {} : { metaCommand }) }
}

/** A comment left at the end would swallow whatever a caller appends. In UTF-16 code units. */
function lengthWithoutComments(parser: Parser, text: string): number {
  const trimmed = text.trimEnd()
  const lastLine = trimmed.slice(trimmed.lastIndexOf("\n") + 1)
  if (!lastLine.includes("--") && !trimmed.endsWith("*/")) return trimmed.length
  const token = parser.scan(trimmed).findLast(({ tokenName }) => !tokenName.endsWith("_COMMENT"))
  return Buffer.from(trimmed).subarray(0, token?.end).toString().length
}

interface Piece {
  readonly text: string
  readonly node: Node
}

/** Adds the name of the procedure that a statement creates, where its PL/pgSQL commits or rolls back. */
function noteProcedure(parser: Parser, { text, node }: Piece, procedures: Set<string>): void {
  if (!("CreateFunctionStmt" in node) || !node.CreateFunctionStmt.is_procedure) return
  const name = relationOfList(node.CreateFunctionStmt.funcname)?.name
  if (name !== undefined && bodyEndsTransaction(parser, text)) procedures.add(name)
}

/**
 * Whether a statement ends transactions itself, which PostgreSQL allows only outside a transaction block
 * (PL/pgSQL chapter "Transaction Management"). What a procedure of an earlier migration does cannot be known here.
 */
function endsTransaction(parser: Parser, { text, node }: Piece, procedures: ReadonlySet<string>): boolean {
  if ("DoStmt" in node) return bodyEndsTransaction(parser, text)
  if (!("CallStmt" in node)) return false
  return procedures.has(relationOfList(node.CallStmt.funccall?.funcname)?.name ?? "")
}

function bodyEndsTransaction(parser: Parser, text: string): boolean {
  return /commit|rollback/i.test(text) && mentions(parser.parsePlPgSql(text), commands)
}

const commands = ["PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"]
