/** A place in a source text: `offset` in UTF-16 code units, `line` and `column` 1-based, the column in characters. */
export interface Place {
  readonly offset: number
  readonly line: number
  readonly column: number
}

/** The place of the first character; a byte order mark is not one. */
export function firstPlace(source: string): Place {
  return { offset: source.startsWith("\ufeff") ? 1 : 0, line: 1, column: 1 }
}

/** The place at a later `offset` (UTF-16 code units), counted on from a known one; `\n`, `\r\n` and `\r` end lines. */
export function advance(source: string, from: Place, offset: number): Place {
  let { line, column } = from
  for (let index = from.offset; index < offset; index++) {
    const unit = source.charCodeAt(index)
    if (unit === lineFeed || (unit === carriageReturn && source.charCodeAt(index + 1) !== lineFeed)) {
      line++
      column = 1
    } else if (unit !== carriageReturn && !isLowSurrogate(unit)) {
      column++
    }
  }
  return { offset, line, column }
}

/** The place at an `offset` in UTF-16 code units. */
export function placeAt(source: string, offset: number): Place {
  return advance(source, firstPlace(source), Math.min(offset, source.length))
}

/**
 * The offset (UTF-16 code units) that a PostgreSQL error's `position` means within the text that was sent:
 * positions are 1-based and count characters (protocol chapter "Error and Notice Message Fields").
 */
export function offsetOfPosition(sent: string, position: number): number {
  let offset = 0
  for (let character = 1; character < position && offset < sent.length; character++) {
    offset += (sent.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
  }
  return offset
}

/** How far a text reaches, in UTF-16 code units, when it is read up to a number of UTF-8 bytes. */
export function unitsOfBytes(source: string, bytes: number, from: { units: number; bytes: number }): number {
  let { units, bytes: passed } = from
  while (passed < bytes && units < source.length) {
    const code = source.codePointAt(units) ?? 0
    passed += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4
    units += code > 0xffff ? 2 : 1
  }
  return units
}

const lineFeed = 10
const carriageReturn = 13

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}

const widest = 100
const linesBefore = 2

/**
 * The lines around a place, ready to print: up to two before, the line itself, and a caret under the column
 * (`line` and `column` 1-based, the column in characters). Long lines are cut around the column.
 */
export function excerpt(source: string, line: number, column: number): string {
  const lines = source.replace(/^\ufeff/, "").split(/\r\n|\n|\r/, line)
  const last = lines[line - 1]
  if (last === undefined) return ""

  const numberWidth = String(line).length
  const gutter = (label: string) => `    ${label.padStart(numberWidth)} |  `
  const { text, caret } = around(last, column)

  let first = Math.max(0, line - 1 - linesBefore)
  while (first < line - 1 && lines[first]?.trim() === "") first++
  const before = lines
    .slice(first, line - 1)
    .map((earlier, index) => gutter(String(first + index + 1)) + around(earlier, 1).text)
  const rows = [...before, gutter(String(line)) + text, `${gutter("")}${" ".repeat(caret)}^`]
  return rows.map((row) => row.trimEnd()).join("\n")
}

/** What a terminal shows of a line near a column, and how many cells precede that column. */
function around(line: string, column: number): { text: string; caret: number } {
  const at = offsetOfPosition(line, column)
  const left = Array.from(line.slice(Math.max(0, at - 2 * widest), at), shown)
  const right = Array.from(line.slice(at, at + 2 * widest), shown)
  if (left.length + right.length <= widest) {
    return { text: [...left, ...right].join(""), caret: cells(left) }
  }
  const takeRight = Math.min(right.length, Math.max(widest / 2, widest - left.length))
  const keptLeft = left.slice(Math.max(0, left.length - (widest - takeRight)))
  const keptRight = right.slice(0, takeRight)
  const head = keptLeft.length < left.length ? "…" : ""
  const tail = keptRight.length < right.length ? "…" : ""
  return { text: head + [...keptLeft, ...keptRight].join("") + tail, caret: head.length + cells(keptLeft) }
}

const tab = "  "

/** Nothing that could move a terminal's cursor; a tab as two spaces. */
function shown(character: string): string {
  if (character === "\t") return tab
  return /\p{Cc}|\p{Bidi_Control}/u.test(character) ? "\ufffd" : character
}

/** Terminal cells: East Asian wide characters and emoji take two, combining marks none. */
function cells(characters: readonly string[]): number {
  return characters.reduce((sum, character) => sum + (isWide(character) ? 2 : /\p{M}/u.test(character) ? 0 : 1), 0)
}

function isWide(character: string): boolean {
  return character === tab || eastAsianWide.test(character) || /\p{Emoji_Presentation}/u.test(character)
}

const eastAsianWide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
