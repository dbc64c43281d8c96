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
