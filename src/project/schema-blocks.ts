/** A top-level block of a Prisma schema. */
export interface Block {
  readonly kind: BlockKind
  readonly name: string
  /** Where its body begins in the file: the offset of the character after the opening brace. */
  readonly start: number
  /** What is between the braces, as it is written. */
  readonly body: string
  /** The body with comments as blanks and the characters of texts as underscores, at the same offsets. */
  readonly code: string
}

type BlockKind = "datasource" | "generator" | "model" | "view" | "enum" | "type"

/** A property of a `datasource` or `generator` block. */
export interface Property {
  readonly name: string
  /** As it is written, without a comment after it. */
  readonly value: string
  /** The value with comments as blanks and the characters of texts as underscores. */
  readonly code: string
  /** Offsets in the file: from the name to the end of the value. */
  readonly start: number
  readonly end: number
}

const blockPattern = /^([^\S\n]*(datasource|generator|model|view|enum|type)\s+(\w+)\s*\{)([^}]*)\}/gm
const propertyPattern = /^([^\S\n]*)((\w+)[^\S\n]*=[^\S\n]*)(\[[^\]]*\]|[^\n]*)/gm

/** The blocks of a schema file in their order; what looks like one in a comment or a text is none. */
export function blocksIn(content: string): readonly Block[] {
  const code = codeOf(content)
  return [...code.matchAll(blockPattern)].map(({ index, 1: head = "", 2: kind, 3: name = "", 4: body = "" }) => {
    const start = index + head.length
    return { kind: kind as BlockKind, name, start, body: content.slice(start, start + body.length), code: body }
  })
}

/** The properties of a block, in their order. */
export function propertiesIn({ start, body, code }: Block): readonly Property[] {
  return [...code.matchAll(propertyPattern)].map(
    ({ index, 1: indent = "", 2: head = "", 3: name = "", 4: rest = "" }) => {
      const from = index + indent.length
      const valueCode = rest.trimEnd()
      const value = body.slice(from + head.length, from + head.length + valueCode.length)
      return { name, value, code: valueCode, start: start + from, end: start + from + head.length + value.length }
    },
  )
}

/** The 1-based line of an offset. */
export const lineAt = (content: string, offset: number): number => content.slice(0, offset).split("\n").length

/** A comment of either kind, or a text. Source: the grammar of Prisma's schema language. */
const commentOrText = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"/g

const codeOf = (content: string): string =>
  content.replace(commentOrText, (found) =>
    found.startsWith('"') ? `"${"_".repeat(found.length - 2)}"` : blank(found),
  )

/** A piece of a file. */
interface Piece {
  readonly start: number
  readonly end: number
}

/** The file with blanks in the place of a piece. */
export const without = (content: string, { start, end }: Piece): string =>
  content.slice(0, start) + blank(content.slice(start, end)) + content.slice(end)

/**
 * The pieces of a property's list that hold the items to take out. A comma goes with each: the one before it behind the
 * last item that stays, else the one after it.
 */
export function itemCuts<Item extends { readonly index: number; readonly text: string }>(
  { value, code, end }: Property,
  items: readonly Item[],
  isGone: (item: Item) => boolean,
): readonly (Piece & { readonly item: Item })[] {
  const begin = end - value.length
  const lastKept = items.findLast((item) => !isGone(item))?.index ?? Number.POSITIVE_INFINITY
  return items.filter(isGone).map((item) => {
    const { index, text } = item
    const before = index > lastKept ? code.lastIndexOf(",", index) : -1
    const after = index > lastKept ? -1 : code.indexOf(",", index + text.length)
    return {
      start: begin + (before < 0 ? index : before),
      end: begin + (after < 0 ? index + text.length : after + 1),
      item,
    }
  })
}

/** As many blanks, with the same ends of lines. */
export const blank = (text: string): string => text.replace(/[^\r\n]/g, " ")
