import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import { readFolder } from "../../history/folder.js"
import { inPrisma5Order } from "../../project/implicit-relations.js"
import { connectionIn } from "../../project/older-schema.js"
import { forEngine, readSchemaFile, type SchemaFiles, schemaPaths } from "../../project/schema.js"
import { stepsOf } from "../../scratch/replay.js"
import { historyList, lockfileText } from "../engine.js"
import type { Params } from "./protocol.js"

/*
 * What Prisma's CLI sent to the schema engine in other versions than 7.10, and what 7.10 sends in its place. Source: the
 * request types of Prisma's CLI (packages/migrate/src/types.ts) at 5.10, 5.22, 6.6, 6.19 and 7.10.
 *
 *   field                                    sent by      in its place
 *   migrationsDirectoryPath: a path          5 to 6.6     migrationsList: the files themselves, which the CLI reads
 *   { tag: "migrations", path }              5 to 6.6     { tag: "migrations", ...the list } in `diff`
 *   prismaSchema: a text                     to 5.14      schema: { files }
 *   schema: a text, or in a tag a path       to 5.14      files
 *   filters, filter: not sent                5 to 6.8     no table or enum is external
 *   viewsDirectoryPath: not sent             5 to 6.9     views/ in the base folder
 *   a datasource's schema with its URL       5 and 6      --datasource { "url" } when the engine is started
 *   shadowDatabaseUrl in `diff`              5 and 6      --datasource { "shadowDatabaseUrl" }
 *   createMigration writes the file          5 to 6.6     the CLI writes it
 *   listMigrationDirectories                 5 to 6.6     the CLI lists them
 */

/** A request as Prisma 7.10 sends it, and what else the older form said. */
export interface Translated {
  readonly params: Params
  /** The database that the request itself names; before Prisma 7 the engine is often started without one. */
  readonly url: string | undefined
  readonly shadowUrl: string | undefined
  /** The result as the version that sent the request expects it. */
  readonly answer: (result: unknown) => unknown
}

const noFilter = { externalTables: [], externalEnums: [] }

/** The methods that take `filters`, and the one that calls it `filter`. */
const filtered: ReadonlySet<string> = new Set([
  ...["applyMigrations", "createMigration", "devDiagnostic", "diagnoseMigrationHistory"],
  ...["diff", "evaluateDataLoss", "schemaPush"],
])

/** Translates a request of any Prisma CLI from 5 on into that of 7.10; one that is of 7.10 stays as it is. */
export function translate(method: string, params: Params): Translated {
  const { migrationsDirectoryPath, prismaSchema, shadowDatabaseUrl, ...rest } = params
  const dir = textOf(migrationsDirectoryPath)
  const request: Params = {
    ...(filtered.has(method) ? { filters: noFilter } : {}),
    ...(method === "reset" && Object.keys(params).length === 0 ? { filter: noFilter } : {}),
    ...(method === "introspect" ? { viewsDirectoryPath: join(textOf(rest.baseDirectoryPath) ?? "", "views") } : {}),
    ...(dir === undefined ? {} : { migrationsList: listOf(dir) }),
    ...(prismaSchema === undefined ? {} : { schema: prismaSchema }),
    ...rest,
  }
  const values = Object.entries(request).map(([key, value]) => ({
    key,
    // What `db pull` reads goes into the schema as its author wrote it.
    ...(key === "schema"
      ? { value: schemaFor(method === "introspect" ? asWritten : accepted, value) }
      : translateValue(key, value)),
  }))
  const translated = Object.fromEntries(values.map(({ key, value }) => [key, value]))
  return {
    params: translated,
    url: onlyOne(values.flatMap(({ url }) => url ?? [])),
    shadowUrl: textOf(shadowDatabaseUrl),
    answer: (result) =>
      method === "createMigration" && dir !== undefined ? writeCreated(dir, result, translated) : result,
  }
}

interface Value {
  readonly value: unknown
  readonly url?: string | undefined
}

const tagged = z.looseObject({ tag: z.string() })
const container = z.looseObject({ files: z.array(z.object({ path: z.string(), content: z.string() })) })

/** A parameter that holds a schema, a history or a database. */
function translateValue(key: string, value: unknown): Value {
  const source = z.safeParse(tagged, value).data
  if (source === undefined || !["from", "to", "datasource", "datasourceType"].includes(key)) return { value }
  return translateSource(source)
}

function translateSource({ tag, ...rest }: z.infer<typeof tagged>): Value {
  const path = textOf(rest.path) ?? textOf(rest.schema)
  switch (tag) {
    case "migrations":
      return { value: textOf(rest.path) === undefined ? { tag, ...rest } : { tag, ...listOf(textOf(rest.path) ?? "") } }
    case "url":
    case "ConnectionString":
      return { value: { tag, ...rest }, url: textOf(rest.url) }
    case "SchemaString":
      return namedDatabase("ConnectionString", [{ path: "schema.prisma", content: textOf(rest.schema) ?? "" }])
    case "SchemaPath":
    case "Schema":
      return namedDatabase("ConnectionString", filesOf(rest, path))
    case "schema":
      return namedDatabase("url", filesOf(rest, path))
    case "schemaDatasource":
    case "schemaDatamodel": {
      const files = filesOf(rest, path)
      const url = tag === "schemaDatasource" ? connectionUrl(files) : undefined
      const { schema: _, ...others } = rest
      return {
        value: { tag, ...(tag === "schemaDatasource" ? { configDir: "" } : {}), ...others, ...accepted(files) },
        url,
      }
    }
    default:
      return { value: { tag, ...rest } }
  }
}

function namedDatabase(tag: string, files: SchemaFiles): Value {
  const url = connectionUrl(files)
  return { value: { tag, url: url ?? "" }, url }
}

const filesOf = (rest: Readonly<Record<string, unknown>>, path: string | undefined): SchemaFiles =>
  z.safeParse(container, rest).data?.files ??
  (path === undefined ? [] : schemaPaths(path).map((file) => ({ path: file, content: readSchemaFile(file) })))

type Reading = (files: SchemaFiles) => { readonly files: SchemaFiles }

const asWritten: Reading = (files) => ({ files })
const accepted: Reading = (files) => ({ files: forEngine(files, process.cwd()) })

function schemaFor(read: Reading, value: unknown): unknown {
  if (typeof value === "string") return read([{ path: "schema.prisma", content: value }])
  const files = z.safeParse(container, value).data?.files
  return files === undefined ? value : read(files)
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

function listOf(dir: string): object {
  const folder = readFolder(dir)
  return historyList(folder.dir, stepsOf(folder.migrations))
}

/**
 * The databases that a schema of Prisma 5 or 6 names; of two URLs the direct one. Prisma's CLI has put the .env files
 * into the environment. A shadow database's variable need not be set. Errors: L1205 the database's variable is not set.
 */
export function connectionUrls(files: SchemaFiles): {
  readonly url?: string | undefined
  readonly shadowUrl?: string | undefined
} {
  const { directUrl, url, shadowDatabaseUrl: shadow } = connectionIn(files)
  const main = directUrl ?? url
  const found = main && (main.from === "text" ? main.url : process.env[main.name])
  if (main?.from === "variable" && !found) {
    throw new LockstepError("L1205", `Environment variable not found: ${main.name}.`, {
      file: main.path,
      line: main.line,
      next: `set ${main.name}`,
    })
  }
  return { url: found, shadowUrl: shadow && (shadow.from === "text" ? shadow.url : process.env[shadow.name]) }
}

const connectionUrl = (files: SchemaFiles): string | undefined => connectionUrls(files).url

/** Errors: L1308 there are two: this build of the engine is connected to one database. */
function onlyOne(urls: readonly string[]): string | undefined {
  const [first, ...others] = new Set(urls)
  if (others.length === 0) return first
  throw new LockstepError("L1308", "two databases cannot be compared with each other in one call", {
    next: "compare each of them with the migrations or the schema",
  })
}

const created = z.object({ generatedMigrationName: z.string(), migrationScript: z.optional(z.nullable(z.string())) })

/** Up to Prisma 6.6 the engine writes the migration; without a difference there is none. */
function writeCreated(dir: string, result: unknown, { schema }: Params): unknown {
  const { generatedMigrationName: name, migrationScript: script } = z.parse(created, result)
  if (!script) return { generatedMigrationName: null }
  mkdirSync(join(dir, name), { recursive: true })
  writeFileSync(
    join(dir, name, "migration.sql"),
    inPrisma5Order(script, z.safeParse(container, schema).data?.files ?? []),
  )
  if (!existsSync(join(dir, "migration_lock.toml"))) writeFileSync(join(dir, "migration_lock.toml"), lockfileText)
  return { generatedMigrationName: name }
}

const listed = z.object({
  migrationsList: z.object({ migrationDirectories: z.array(z.object({ path: z.string() })) }),
})

/** The names of a folder's migrations. */
export const listMigrationDirectories = (params: Params): { readonly migrations: readonly string[] } => ({
  migrations: z.parse(listed, params).migrationsList.migrationDirectories.map(({ path }) => path),
})
