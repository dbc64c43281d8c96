import { parseArgs } from "node:util"
import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import { setAsideOlder } from "../../project/older-schema.js"
import { readSchemaFile, type SchemaFiles } from "../../project/schema.js"
import { connectionUrls } from "./dialects.js"

/** What Prisma's CLI starts the schema engine with. */
export interface EngineArguments {
  readonly schemaFiles: SchemaFiles | undefined
  /** Absent for `migrate diff` between schemas, which needs no database. */
  readonly url: string | undefined
  readonly shadowUrl: string | undefined
  /** The types of prisma.config's `extensions`, by the names that a schema has for them. */
  readonly extensionTypes: readonly string[]
  readonly command: string | undefined
  readonly version: boolean
}

const text = z.optional(z.nullable(z.string()))
// Prisma 6 has a directUrl as well, which is what migrations use.
const datasource = z.object({ url: text, directUrl: text, shadowDatabaseUrl: text })

/**
 * Parses the command line of the schema engine, as Prisma's CLI writes it from version 5 on; what it does not know it
 * passes over. Up to Prisma 6 the schema names the database. Errors: L1205 the variable that the schema names is not
 * set, L1301, L1401.
 */
export function parseArguments(argv: readonly string[]): EngineArguments {
  const { values, positionals } = parseArgs({
    args: [...argv],
    strict: false,
    allowPositionals: true,
    options: {
      datamodels: { type: "string", short: "d", multiple: true },
      datamodel: { type: "string", multiple: true },
      datasource: { type: "string" },
      "enabled-preview-features": { type: "string" },
      "extension-types": { type: "string" },
      version: { type: "boolean", short: "V" },
    },
  })
  const source = typeof values.datasource === "string" ? parseDatasource(values.datasource) : {}
  const paths = [values.datamodels, values.datamodel].flat().filter((path) => typeof path === "string")
  const files = paths.map((path) => ({ path, content: readSchemaFile(path) }))
  const connection = values.datasource === undefined ? connectionUrls(files) : {}
  const [word, command] = positionals
  return {
    schemaFiles: files.length > 0 ? setAsideOlder(files).files : undefined,
    url: source.directUrl || source.url || connection.url,
    shadowUrl: source.shadowDatabaseUrl || connection.shadowUrl,
    extensionTypes: typesIn(values["extension-types"]),
    command: word === "cli" ? (command ?? "") : undefined,
    version: values.version === true,
  }
}

const extensionTypes = z.object({ types: z.array(z.looseObject({ prismaName: z.string() })) })

/** Errors: L1301. */
function typesIn(given: unknown): readonly string[] {
  if (typeof given !== "string") return []
  try {
    return z.parse(extensionTypes, JSON.parse(given)).types.map(({ prismaName }) => prismaName)
  } catch {
    throw new LockstepError("L1301", '--extension-types is not a JSON object like { "types": [{ "prismaName": "…" }] }')
  }
}

/** Prisma's CLI gives a URL as it is for its `cli` commands, up to version 6, and JSON otherwise. Errors: L1301. */
function parseDatasource(given: string): z.infer<typeof datasource> {
  if (!given.trimStart().startsWith("{")) return { url: given }
  try {
    return z.parse(datasource, JSON.parse(given))
  } catch {
    // What JSON.parse itself says repeats the text, which holds the password.
    throw new LockstepError("L1301", '--datasource is not a JSON object like { "url": "…" }')
  }
}
