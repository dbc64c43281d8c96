import { parseArgs } from "node:util"
import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import { readSchemaFile, type SchemaFiles } from "../../project/schema.js"

/** What Prisma's CLI starts the schema engine with. */
export interface EngineArguments {
  readonly schemaFiles: SchemaFiles | undefined
  /** Absent for `migrate diff` between schemas, which needs no database. */
  readonly url: string | undefined
  readonly shadowUrl: string | undefined
  readonly command: string | undefined
  readonly version: boolean
}

const text = z.optional(z.nullable(z.string()))
const datasource = z.object({ url: text, shadowDatabaseUrl: text })

/** Parses the command line of the schema engine, as Prisma's CLI 7 writes it; what it does not know it passes over. */
export function parseArguments(argv: readonly string[]): EngineArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    options: {
      datamodels: { type: "string", short: "d", multiple: true },
      datasource: { type: "string" },
      "enabled-preview-features": { type: "string" },
      "extension-types": { type: "string" },
      version: { type: "boolean", short: "V" },
    },
  })
  const source = typeof values.datasource === "string" ? parseDatasource(values.datasource) : {}
  const files = Array.isArray(values.datamodels) ? values.datamodels.filter((path) => typeof path === "string") : []
  const [word, command] = positionals
  return {
    schemaFiles: files.length > 0 ? files.map((path) => ({ path, content: readSchemaFile(path) })) : undefined,
    url: source.url || undefined,
    shadowUrl: source.shadowDatabaseUrl || undefined,
    command: word === "cli" ? (command ?? "") : undefined,
    version: values.version === true,
  }
}

/** Errors: L1301. What JSON.parse itself says repeats the text, which holds the password. */
function parseDatasource(json: string): z.infer<typeof datasource> {
  try {
    return z.parse(datasource, JSON.parse(json))
  } catch {
    throw new LockstepError("L1301", '--datasource is not a JSON object like { "url": "…" }')
  }
}
