import { existsSync, statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { type Folder, noMigrations, readFolder } from "../history/folder.js"
import { type External, findConfig, type PrismaConfig, readConfig } from "./config.js"
import { type Dotenv, readDotenv } from "./environment.js"
import { readManifest } from "./manifest.js"
import { modelsIn, readSchemaIfPossible } from "./schema.js"

/** The paths that were given on the command line. */
export interface ProjectFlags {
  readonly root: string
  readonly config?: string | undefined
  readonly schema?: string | undefined
  readonly migrations?: string | undefined
}

/** The user's project, parsed once. Paths are absolute. */
export interface Project {
  readonly root: string
  readonly configPath: string | undefined
  /** A schema file or a folder of them; it need not exist for a deploy. */
  readonly schemaPath: string
  readonly migrationsDir: string
  /** What names the migrations folder: a setting (--migrations), the prisma.config, or nothing (Prisma's default). */
  readonly migrationsNamedBy: "setting" | "config" | "default"
  /** The command that seeds the database. */
  readonly seed: string | undefined
  /** DATABASE_URL as it was before a prisma.config could set it. */
  readonly environmentUrl: string | undefined
  /** The URL as the prisma.config evaluates it, and the variable that it names for it. */
  readonly configUrl: string | undefined
  readonly configUrlVariable: string | undefined
  readonly shadowUrl: string | undefined
  /** SQL that Prisma runs in a new shadow database before it replays the history. */
  readonly initShadowDb: string | undefined
  readonly external: External
  /** Variables that the prisma.config reads and that are not set in the environment. */
  readonly unsetVariables: readonly string[]
  readonly dotenv: readonly Dotenv[]
}

/**
 * Finds the project's parts: flags first, then prisma.config, then Prisma's defaults. With the migrations and the
 * database named (--migrations, DATABASE_URL) the prisma.config is not run, so that a deploy needs nothing else.
 */
export async function loadProject(flags: ProjectFlags, needs: "everything" | "migrations"): Promise<Project> {
  const { root } = flags
  const environmentUrl = process.env.DATABASE_URL || undefined
  const configPath = findConfig(root, flags.config)
  const enough = needs === "migrations" && flags.migrations !== undefined && environmentUrl !== undefined
  const config = configPath === undefined || enough ? undefined : await readConfig(configPath, variablesOf(root))
  // Prisma up to version 6 has these two in package.json; a prisma.config takes their place.
  const older = configPath === undefined ? readManifest(root).prisma : {}
  const schema = flags.schema ?? config?.schema ?? older.schema
  const schemaPath = schema === undefined ? defaultSchema(root) : resolve(root, schema)
  return Object.freeze({
    root,
    configPath,
    schemaPath,
    migrationsDir: migrationsDir(flags, config, schemaPath),
    migrationsNamedBy: flags.migrations ? "setting" : config?.migrations ? "config" : "default",
    seed: config?.seed ?? older.seed,
    environmentUrl,
    configUrl: config?.url,
    configUrlVariable: config?.urlVariable,
    shadowUrl: config?.shadowUrl,
    initShadowDb: config?.initShadowDb,
    external: config?.external ?? { tables: [], enums: [] },
    unsetVariables: config?.unsetVariables ?? [],
    dotenv: readDotenv(root, schemaPath),
  })
}

/** The first file that has a variable wins. */
const variablesOf = (root: string): Record<string, string> =>
  Object.assign(
    {},
    ...readDotenv(root, undefined)
      .map(({ variables }) => variables)
      .reverse(),
  )

/** Prisma's default paths, in its order; last, a folder that is not one of them but common. */
function defaultSchema(root: string): string {
  const paths = ["schema.prisma", "prisma/schema.prisma", "prisma/schema"].map((path) => join(root, path))
  return paths.find((path) => existsSync(path)) ?? join(root, "prisma/schema.prisma")
}

function migrationsDir(flags: ProjectFlags, config: PrismaConfig | undefined, schemaPath: string): string {
  if (flags.migrations) return resolve(flags.root, flags.migrations)
  if (config?.migrations) return config.migrations
  const hasThem = (folder: string) => existsSync(join(folder, "migrations"))
  if (hasThem(schemaPath)) return join(schemaPath, "migrations")
  const folders = [...datasourceFolders(schemaPath), dirname(schemaPath)]
  return join(folders.find(hasThem) ?? folders[0] ?? "", "migrations")
}

/**
 * Of a schema in several files, the folder of the one with the datasource: from Prisma 6.7 on the migrations are there,
 * before it beside the schema's folder. Source: Prisma's documentation, "Multi-file Prisma schema".
 */
const datasourceFolders = (schemaPath: string): readonly string[] =>
  statSync(schemaPath, { throwIfNoEntry: false })?.isDirectory()
    ? readSchemaIfPossible(schemaPath)
        .filter(({ content }) => /^\s*datasource\s/m.test(content))
        .map(({ path }) => dirname(path))
    : []

/**
 * Reads the project's migrations. An empty or missing folder is accepted only for a new project, whose schema has no
 * models yet: otherwise it is most often a wrong path, or an image without its migrations.
 * Errors: L1106 no migrations where some were expected; L1101, L1102.
 */
export function readMigrations(project: Project, { allowEmpty }: { readonly allowEmpty: boolean }): Folder {
  const folder = readFolder(project.migrationsDir)
  if (folder.migrations.length > 0 || allowEmpty) return folder
  const models = modelsIn(readSchemaIfPossible(project.schemaPath))
  if (models.length === 0 && project.migrationsNamedBy !== "setting") return folder
  throw noMigrations(folder.dir, [
    origin(project),
    ...(models.length > 0 ? [`${relative(project.root, project.schemaPath)} has ${counted(models)}.`] : []),
  ])
}

function origin({ migrationsNamedBy, configPath, root }: Project): string {
  if (migrationsNamedBy === "setting")
    return "The folder is named by --migrations, LOCKSTEP_MIGRATIONS or package.json."
  if (migrationsNamedBy === "config") return `The folder is named by ${relative(root, configPath ?? "prisma.config")}.`
  return "The folder is Prisma's default, beside the schema."
}

const counted = (models: readonly string[]): string =>
  models.length === 1 ? `the model ${models[0]}` : `${models.length} models, among them ${models[0]}`
