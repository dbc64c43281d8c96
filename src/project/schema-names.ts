import type { SchemaFiles } from "./schema.js"

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
  return files.flatMap(({ content }) => {
    const text = withoutComments(content)
    return [...text.matchAll(/^\s*(model|enum)\s+(\w+)\s*\{([^}]*)\}/gm)].map(([, kind, name = "", body = ""]) => ({
      kind: kind === "enum" ? ("enum" as const) : ("model" as const),
      name,
      mapped: /^\s*@@map\(\s*(?:name:\s*)?"([^"]*)"/m.exec(body)?.[1] ?? name,
      fields: new Map(body.split("\n").flatMap(field)),
    }))
  })
}

/** Comments without what they say; `//` in a text, as in a URL, is none. A brace in a text ends no block either. */
function withoutComments(content: string): string {
  return content.replaceAll(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*/g, (found) =>
    found.startsWith('"') ? found.replaceAll(/[{}]/g, "_") : "",
  )
}

function field(line: string): readonly (readonly [string, string])[] {
  const [, name] = /^\s*(\w+)(?:\s|$)/.exec(line) ?? []
  if (name === undefined) return []
  return [[name, /@map\(\s*(?:name:\s*)?"([^"]*)"/.exec(line)?.[1] ?? name]]
}
