import type { ScanToken } from "libpg-query"
import { loadParser, type Parser } from "../../sql/parser.js"
import { escaped, Markup } from "./markup.js"

/** SQL line by line, highlighted, and the lines on which a token that is no comment begins or ends. */
export interface HighlightedSql {
  readonly lines: readonly Markup[]
  /** The last line, 1-based, before `line` with more than comments; 0 where there is none. */
  readonly codeBefore: (line: number) => number
}

/** Highlights SQL by PostgreSQL's own scanner. What it cannot scan stays plain. */
export async function highlight(sql: string): Promise<HighlightedSql> {
  const source = sql.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n")
  const pieces = piecesOf(source, await loadParser().catch(() => undefined))
  return { lines: linesOf(pieces).map((line) => new Markup(line)), codeBefore: codeLines(pieces) }
}

/** "k" keyword, "s" string, "n" number, "c" comment, "q" quoted identifier; "" is plain. */
type Kind = "" | "k" | "s" | "n" | "c" | "q"

interface Piece {
  readonly kind: Kind
  readonly text: string
}

function piecesOf(source: string, parser: Parser | undefined): readonly Piece[] {
  const tokens = parser && scanned(parser, source)
  if (parser === undefined || tokens === undefined) return [{ kind: "", text: source }]
  const bytes = Buffer.from(source)
  const pieces: Piece[] = []
  let at = 0
  for (const token of tokens) {
    const text = bytes.toString("utf8", token.start, token.end)
    pieces.push({ kind: "", text: bytes.toString("utf8", at, token.start) })
    pieces.push(...(programIn(text, parser) ?? [{ kind: kindOf(token, text), text }]))
    at = token.end
  }
  return [...pieces, { kind: "", text: bytes.toString("utf8", at) }]
}

/** The scanner's own answer cannot be read where it complains about a text with a quote. */
function scanned(parser: Parser, source: string): readonly ScanToken[] | undefined {
  try {
    return parser.scan(source)
  } catch {
    return undefined
  }
}

/** The body of a function or a DO block is a string, and a program as well. */
function programIn(text: string, parser: Parser): readonly Piece[] | undefined {
  const [, tag, body] = /^(\$\w*\$)(.*\n.*)\1$/s.exec(text) ?? []
  if (tag === undefined || body === undefined) return undefined
  return [{ kind: "s", text: tag }, ...piecesOf(body, parser), { kind: "s", text: tag }]
}

function kindOf({ tokenName, keywordKind }: ScanToken, text: string): Kind {
  if (tokenName === "SQL_COMMENT" || tokenName === "C_COMMENT") return "c"
  if (/^[UXB]?SCONST$/.test(tokenName)) return "s"
  if (tokenName === "ICONST" || tokenName === "FCONST") return "n"
  if (text.startsWith('"')) return "q"
  return keywordKind > 0 ? "k" : ""
}

/** One string of HTML a line; neighbours of one kind share an element, and no element goes over a line's end. */
function linesOf(pieces: readonly Piece[]): readonly string[] {
  const lines: string[] = []
  let line = ""
  let open: Piece = { kind: "", text: "" }
  const close = (): void => {
    line +=
      open.kind === "" || open.text.trim() === ""
        ? escaped(open.text)
        : `<i class="${open.kind}">${escaped(open.text)}</i>`
    open = { kind: "", text: "" }
  }
  for (const { kind, text } of pieces) {
    for (const [at, part] of text.split("\n").entries()) {
      if (at > 0) {
        close()
        lines.push(line)
        line = ""
      }
      if (part === "") continue
      if (open.kind === kind || part.trim() === "") open = { kind: open.kind, text: open.text + part }
      else {
        close()
        open = { kind, text: part }
      }
    }
  }
  close()
  return [...lines, line]
}

function codeLines(pieces: readonly Piece[]): (line: number) => number {
  const lines: number[] = []
  let line = 1
  for (const { kind, text } of pieces) {
    const ends = text.split("\n").length - 1
    if (kind !== "c" && text.trim() !== "") lines.push(line + text.trimEnd().split("\n").length - 1)
    line += ends
  }
  return (before) => lines.findLast((each) => each < before) ?? 0
}
