import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import { findConfig, type PrismaConfig, readConfig } from "./config.js"
import { type Dotenv, readDotenv } from "./dotenv.js"

/** What was given on the command line about where the project's parts are. */
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
  /** The command that seeds the database. */
  readonly seed: string | undefined
  /** The URL as the prisma.config evaluates it. */
  readonly configUrl: string | undefined
  readonly shadowUrl: string | undefined
  /** SQL that Prisma runs in a new shadow database before it replays the history. */
  readonly initShadowDb: string | undefined
  readonly dotenv: readonly Dotenv[]
}

/**
 * Finds the project's parts: flags first, then prisma.config, then Prisma's defaults. With the migrations and the
 * database named (--migrations, DATABASE_URL) the prisma.config is not run, so that a deploy needs nothing else.
 * Errors: L1303 the configuration cannot be loaded.
 */
export async function loadProject(flags: ProjectFlags, needs: "everything" | "migrations"): Promise<Project> {
  const { root } = flags
  const configPath = findConfig(root, flags.config)
  const enough = needs === "migrations" && flags.migrations !== undefined && process.env.DATABASE_URL
  const early = readDotenv(root, undefined)
  const config =
    configPath === undefined || enough
      ? undefined
      : await readConfig(configPath, Object.assign({}, ...early.map((file) => file.variables).reverse()))
  const schemaPath = flags.schema ? resolve(root, flags.schema) : (config?.schema ?? defaultSchema(root))
  return Object.freeze({
    root,
    configPath,
    schemaPath,
    migrationsDir: migrationsDir(flags, config, schemaPath),
    seed: config?.seed,
    configUrl: config?.url,
    shadowUrl: config?.shadowUrl,
    initShadowDb: config?.initShadowDb,
    dotenv: readDotenv(root, schemaPath),
  })
}

function defaultSchema(root: string): string {
  const places = ["prisma/schema.prisma", "schema.prisma", "prisma/schema"].map((place) => join(root, place))
  return places.find((place) => existsSync(place)) ?? join(root, "prisma/schema.prisma")
}

function migrationsDir(flags: ProjectFlags, config: PrismaConfig | undefined, schemaPath: string): string {
  if (flags.migrations) return resolve(flags.root, flags.migrations)
  if (config?.migrations) return config.migrations
  const beside = join(dirname(schemaPath), "migrations")
  const inside = join(schemaPath, "migrations")
  return existsSync(inside) ? inside : beside
}
