import type { SchemaFiles } from "./schema.js"
import { blocksIn } from "./schema-blocks.js"

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
