import { readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { LockstepError } from "../errors.js"
import { readRegularFile } from "../history/folder.js"
import { withRelationTables } from "./implicit-relations.js"
import { prismaMajor } from "./manifest.js"
import { type SetAside, setAsideOlder } from "./older-schema.js"
import { blocksIn, propertiesIn } from "./schema-blocks.js"

/** A Prisma schema: its files, in any order. */
export type SchemaFiles = readonly SchemaFile[]
export interface SchemaFile {
  readonly path: string
  readonly content: string
}

/**
 * Reads a project's Prisma schema as the engine of Prisma 7 accepts it: one file, or every .prisma file below a folder,
 * in a stable order. What only an older Prisma accepts is set aside in memory; lines and columns stay.
 * Errors: L1401 it does not exist or cannot be read; L1402 it holds connection URLs, and the project is on Prisma 7;
 * L1419 it means something else to the project's Prisma.
 */
export function readSchema(path: string): SchemaFiles {
  const { files, setAside } = setAsideOlder(readSchemaFiles(path))
  const major = prismaMajor(dirname(path))
  if (setAside.length > 0 && (major ?? 0) >= 7) refuseConnections(setAside)
  return major === 5 ? withRelationTables(files) : files
}

/** Any schema's files as the engine reads them for the project in `folder`. Errors: L1419. */
export function forEngine(given: SchemaFiles, folder: string): SchemaFiles {
  const { files } = setAsideOlder(given)
  return prismaMajor(folder) === 5 ? withRelationTables(files) : files
}

/** Errors: L1401. */
function readSchemaFiles(path: string): SchemaFiles {
  const files = schemaPaths(path).map((file) => ({ path: file, content: readSchemaFile(file) }))
  if (files.length > 0) return files
  throw new LockstepError("L1401", `there is no Prisma schema at ${path}`, {
    state: "nothing was touched.",
    next: "name it with --schema, or in prisma.config; deploy and status do not need it",
  })
}

/** Reads a schema for its models and generators. Errors: L1401. */
export const readSchemaOfClient = (path: string): SchemaFiles => setAsideOlder(readSchemaFiles(path)).files

/** Prisma 7 itself does not accept these schemas. */
function refuseConnections(setAside: readonly SetAside[]): void {
  const urls = setAside.filter(({ what }) => "property" in what)
  const [first] = urls
  if (first === undefined) return
  throw new LockstepError("L1402", "the Prisma schema holds connection URLs, which Prisma 7 no longer accepts there", {
    file: first.path,
    line: first.line,
    hint: urls.map(({ path, line, text }) => `${path}:${line}: ${text}`).join("\n"),
    state: "nothing was touched.",
    next: "delete these lines and put the URL into prisma.config.ts (datasource.url); deploy and status do not need the schema",
  })
}

/** The schema for what can do without it: no files where it does not exist or cannot be read. */
export function readSchemaIfPossible(path: string): SchemaFiles {
  try {
    return schemaPaths(path).map((file) => ({ path: file, content: readRegularFile(file) }))
  } catch {
    return []
  }
}

/** Errors: L1401 it cannot be read. */
export function readSchemaFile(path: string): string {
  try {
    return readRegularFile(path)
  } catch (cause) {
    throw new LockstepError("L1401", "a file of the Prisma schema cannot be read", {
      file: path,
      hint: cause instanceof Error ? cause.message : undefined,
      state: "nothing was touched.",
      cause,
    })
  }
}

/** The paths of a schema's files; none where it does not exist. */
export function schemaPaths(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) return []
  if (!stat.isDirectory()) return [path]
  const names = readdirSync(path, { recursive: true, encoding: "utf8" })
  return names
    .filter((name) => name.endsWith(".prisma") && !name.split(/[/\\]/).includes("node_modules"))
    .sort()
    .map((name) => join(path, name))
}

/** The models that a schema declares. */
export const modelsIn = (files: SchemaFiles): readonly string[] =>
  files.flatMap(({ content }) => [...content.matchAll(/^\s*model\s+(\w+)\s*\{/gm)].flatMap(([, name]) => name ?? []))

/** The PostgreSQL schemas that a Prisma schema names, but for some, as one that has nothing else; undefined where there is none. */
export function namespacesAlone(files: SchemaFiles, except: readonly string[] = []): SchemaFiles | undefined {
  const lists = files.flatMap(({ content }) =>
    blocksIn(content)
      .filter(({ kind }) => kind === "datasource")
      .flatMap((block) => propertiesIn(block).filter(({ name }) => name === "schemas")),
  )
  const [list] = lists
  if (list === undefined) return undefined
  const names = [...list.code.matchAll(/"_*"/g)]
    .map(({ index, 0: { length } }) => list.value.slice(index, index + length))
    .filter((name) => !except.includes(name.slice(1, -1)))
  if (names.length === 0) return undefined
  const content = `datasource db {\n  provider = "postgresql"\n  schemas  = [${names.join(", ")}]\n}\n`
  return [{ path: "schema.prisma", content }]
}
