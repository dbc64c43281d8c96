import * as z from "zod/mini"
import { answers } from "../../../src/report/schemas.js"
import { made } from "./render.js"

/** What is read of a JSON Schema. */
const shape = z.looseObject({
  type: z.optional(z.union([z.string(), z.array(z.string())])),
  const: z.optional(z.unknown()),
  enum: z.optional(z.array(z.unknown())),
  format: z.optional(z.string()),
  properties: z.optional(z.record(z.string(), z.unknown())),
  required: z.optional(z.array(z.string())),
  items: z.optional(z.unknown()),
  additionalProperties: z.optional(z.unknown()),
  anyOf: z.optional(z.array(z.unknown())),
  oneOf: z.optional(z.array(z.unknown())),
})

/** docs/json.md: the shape of every answer, as TypeScript writes types. */
export function jsonPage(): string {
  const sections = Object.entries(answers).map(
    ([name, schema]) =>
      `## ${name}\n\n\`\`\`ts\n${typeOf(z.toJSONSchema(schema, { unrepresentable: "any" }), "")}\n\`\`\``,
  )
  const head = `# JSON

${made}

With \`--json\` data go to stdout, narration stays on stderr. A command prints one object; \`deploy\` prints one a line as it
happens. Each carries its \`schema\` and that one's version; where a command fails, its last object is a \`lockstep.error/1\`.
Times are ISO 8601 in UTC; durations are milliseconds, in names that end in \`Ms\`.`
  return `${[head, ...sections].join("\n\n")}\n`
}

const longestLine = 110

function typeOf(schema: unknown, indent: string): string {
  const {
    type,
    properties,
    required = [],
    items,
    anyOf,
    oneOf,
    format,
    additionalProperties,
    ...rest
  } = z.parse(shape, schema)
  if ("const" in rest) return JSON.stringify(rest.const)
  if (rest.enum) return rest.enum.map((value) => JSON.stringify(value)).join(" | ")
  const alternatives = anyOf ?? oneOf
  if (alternatives)
    return union(
      alternatives.map((one) => typeOf(one, indent)),
      indent,
    )
  if (type === "array") return items === undefined ? "unknown[]" : elements(typeOf(items, indent))
  if (properties === undefined) {
    if (type === "object") return `{ [name: string]: ${typeOf(additionalProperties ?? {}, indent)} }`
    return format === "date-time" ? "time" : [type ?? "unknown"].flat().join(" | ").replace("integer", "number")
  }
  const inner = `${indent}  `
  const lines = Object.entries(properties).map(
    ([name, value]) => `${name}${required.includes(name) ? "" : "?"}: ${typeOf(value, inner)}`,
  )
  const short = `{ ${lines.join(", ")} }`
  return short.length + indent.length <= longestLine && !short.includes("\n")
    ? short
    : `{\n${lines.map((line) => `${inner}${line}`).join("\n")}\n${indent}}`
}

const elements = (type: string): string => (/[|\n]/.test(type) ? `Array<${type}>` : `${type}[]`)

const union = (types: readonly string[], indent: string): string =>
  types.join(" | ").length + indent.length <= longestLine ? types.join(" | ") : types.join(`\n${indent}| `)
