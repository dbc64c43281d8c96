import type { SchemaFiles } from "./schema.js"

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
const blank = (text: string): string => text.replace(/[^\r\n]/g, " ")

/** What a model or an enum of the Prisma schema is called in the database. */
export interface SchemaName {
  readonly kind: "model" | "enum"
  readonly name: string
  /** By `@@map`; its own name where there is none. */
  readonly mapped: string
  /** The fields, or the enum's values, by their names in the schema: what they are called in the database. */
  readonly fields: ReadonlyMap<string, string>
}

/** Reads the names and their mappings. Only for names that a person types: the schema itself is the engine's to read. */
export function schemaNames(files: SchemaFiles): readonly SchemaName[] {
  return files.flatMap(({ content }) =>
    blocksIn(content).flatMap(({ kind, name, body, code }) => {
      if (kind !== "model" && kind !== "enum") return []
      const written = (start: number, end: number) => body.slice(start, end)
      const lines = [...code.matchAll(/^.*$/gm)]
      const mapped = lines.flatMap(({ 0: line, index }) =>
        mapping(line, "@@map", (a, b) => written(index + a, index + b)),
      )
      const fields = lines.flatMap(({ 0: line, index }): readonly (readonly [string, string])[] => {
        const field = /^\s*(\w+)(?:\s|$)/.exec(line)?.[1]
        if (field === undefined) return []
        const [own = field] = mapping(line, "@map", (a, b) => written(index + a, index + b))
        return [[field, own]]
      })
      return [{ kind, name, mapped: mapped[0] ?? name, fields: new Map(fields) }]
    }),
  )
}

/** The text in `@map("…")`, read where the line's code has it. */
function mapping(
  line: string,
  attribute: "@map" | "@@map",
  written: (start: number, end: number) => string,
): readonly string[] {
  const found = new RegExp(`(?<!@)${attribute}\\(\\s*(?:name:\\s*)?"([^"]*)"`, "d").exec(line)?.indices?.[1]
  return found === undefined ? [] : [written(...found)]
}
