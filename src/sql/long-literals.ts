/** A source without the content of its long literals and comments, and where its characters are in the source. */
export interface Shortened {
  readonly text: string
  /** An offset in the text as one in the source; both in UTF-16 code units. */
  readonly toSource: (offset: number) => number
}

/**
 * Empties the long literals and comments of a source from a place on that is in none of them: the parser needs eight
 * times a literal's size, and nothing of what it reports depends on the content. What the server is sent is the source.
 * Where a literal ends is decided by the rules of PostgreSQL's lexer (src/backend/parser/scan.l) with
 * standard_conforming_strings on; the tests compare them with the lexer itself. One that does not end is left as it is.
 * `longest`: longer ones are emptied, in UTF-16 code units.
 */
export function withoutLongLiterals(source: string, from: number, longest = 65_536): Shortened {
  const kept: string[] = []
  const cuts: Cut[] = []
  let copied = from
  let length = 0
  for (const { start, end } of contents(source, from)) {
    if (end - start <= longest) continue
    kept.push(source.slice(copied, start))
    length += start - copied
    copied = end
    cuts.push({ at: length, offset: end - length })
  }
  kept.push(source.slice(copied))
  return { text: kept.join(""), toSource: (offset) => offset + offsetAt(cuts, offset, from) }
}

/** From `at` on, in the text, an offset is so much larger in the source. */
interface Cut {
  readonly at: number
  readonly offset: number
}

const offsetAt = (cuts: readonly Cut[], offset: number, from: number): number =>
  cuts.findLast(({ at }) => at <= offset)?.offset ?? from

/** What is between the delimiters of a literal or a comment. */
interface Content {
  readonly start: number
  readonly end: number
}

/** Names are tokens of their own: a letter before a quote, and a $ in a name, are then taken for what they are. */
const tokens = /'|"|--|\/\*|\$(?:[A-Z_\x80-\uffff][\w\x80-\uffff]*)?\$|[A-Z_\x80-\uffff][\w$\x80-\uffff]*/gi

/** The contents of all literals and comments, in order, up to one that does not end. */
function* contents(source: string, from: number): Generator<Content, undefined> {
  let prefix = { name: "", end: -1 }
  let at = from
  for (let token = matchFrom(tokens, source, at); token !== null; token = matchFrom(tokens, source, at)) {
    const [opening] = token
    at = token.index + opening.length
    if (isName.test(opening)) {
      prefix = { name: opening.toLowerCase(), end: at }
      continue
    }
    const kind = opening === "'" && token.index === prefix.end ? prefix.name : ""
    for (let start: number | undefined = at; start !== undefined; ) {
      const end = endOf(source, { opening, kind }, start)
      if (end < 0) return
      if (opening !== '"') yield { start, end }
      at = end + (closings.get(opening) ?? opening).length
      start = opening === "'" ? continuation(source, at) : undefined
    }
  }
}

const isName = /^[A-Z_\x80-\uffff]/i

/** What ends a literal or comment, where it is not what begins it. The end of a line is not part of its comment. */
const closings: ReadonlyMap<string, string> = new Map([
  ["/*", "*/"],
  ["--", ""],
])

/** Of a token that opens a literal: itself, and the letter before a quote (E'…'). */
interface Opening {
  readonly opening: string
  readonly kind: string
}

function endOf(source: string, { opening, kind }: Opening, start: number): number {
  if (opening === "/*") return endOfComment(source, start)
  if (opening === "--") return matchFrom(/[\r\n]/g, source, start)?.index ?? source.length
  if (kind === "e") return endOfEscaped(source, start)
  const isDoubled = (opening === "'" && kind !== "b" && kind !== "x") || opening === '"'
  return isDoubled ? endOfQuoted(source, opening, start) : source.indexOf(opening, start)
}

/** A doubled quote is part of the content. */
function endOfQuoted(source: string, quote: string, start: number): number {
  let end = source.indexOf(quote, start)
  while (end >= 0 && source[end + 1] === quote) end = source.indexOf(quote, end + 2)
  return end
}

/** In E'…' a backslash takes the next character with it. */
function endOfEscaped(source: string, start: number): number {
  for (let at = start; ; ) {
    const found = matchFrom(/\\|''?/g, source, at)
    if (found === null) return -1
    if (found[0] === "'") return found.index
    at = found.index + 2
  }
}

/** Comments nest. */
function endOfComment(source: string, start: number): number {
  let depth = 1
  for (let at = start; ; ) {
    const found = matchFrom(/\/\*|\*\//g, source, at)
    if (found === null) return -1
    depth += found[0] === "/*" ? 1 : -1
    if (depth === 0) return found.index
    at = found.index + 2
  }
}

/** Where a literal goes on after a line break, as one of its kind: E'…' with its backslashes, b'…' without doubled quotes. */
function continuation(source: string, end: number): number | undefined {
  const found = matchFrom(/[ \t\f\v]*(?:--[^\r\n]*)?[\r\n](?:[ \t\r\n\f\v]|--[^\r\n]*[\r\n])*'/y, source, end)
  return found === null ? undefined : end + found[0].length
}

function matchFrom(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(source)
}
