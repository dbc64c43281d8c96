import { readFileSync, statSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

/** In Prisma's order. */
const extensions = ["js", "ts", "mjs", "cjs", "mts", "cts"]

/** Where Prisma 7 looks for its configuration, in its order. Source: `@prisma/config`, loadConfigFromFile. */
export const configPaths: readonly string[] = [
  ...["prisma7.config", ".config/prisma7"].flatMap((stem) => extensions.map((extension) => `${stem}.${extension}`)),
  ...["prisma.config", ".config/prisma", ".config/prisma.config"].flatMap((stem) =>
    [stem, `${stem}/index`].flatMap((path) => extensions.map((extension) => `${path}.${extension}`)),
  ),
]

const text = z.optional(z.string())

const names = z.optional(z.object({ external: z.optional(z.array(z.string())) }))

const shape = z.object({
  schema: text,
  migrations: z.optional(z.object({ path: text, seed: text, initShadowDb: text })),
  // Prisma 7 has no directUrl any more.
  datasource: z.optional(z.object({ url: text, directUrl: text, shadowDatabaseUrl: text })),
  tables: names,
  enums: names,
})

/** A prisma.config's settings. Paths are absolute. */
export interface PrismaConfig {
  readonly path: string
  readonly schema: string | undefined
  readonly migrations: string | undefined
  readonly seed: string | undefined
  /** The database's URL; of two, the direct one, which is what migrations use. */
  readonly url: string | undefined
  /** The variable that it is read from, where the file says so in one place: `env("X")` or `process.env.X`. */
  readonly urlVariable: string | undefined
  readonly shadowUrl: string | undefined
  readonly initShadowDb: string | undefined
  readonly external: External
  /** Variables that its `env()` did not find in the environment; in Prisma's own CLI it throws for each. */
  readonly unsetVariables: readonly string[]
}

/** Tables and enums that others manage, so that Prisma leaves them alone. */
export interface External {
  readonly tables: readonly string[]
  readonly enums: readonly string[]
}

/** The project's prisma.config, or the one that --config names; undefined where there is none. */
export function findConfig(root: string, named: string | undefined): string | undefined {
  if (named === undefined) return configPaths.map((path) => join(root, path)).find(isFile)
  const path = resolve(root, named)
  if (isFile(path)) return path
  throw new LockstepError("L1303", `the configuration file ${path} does not exist`, { next: "correct --config" })
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/**
 * Runs a prisma.config and reads its settings; `variables` are those of the .env files, for its `env()`.
 * Errors: L1303 it cannot be loaded, or does not have the form that Prisma documents.
 */
export async function readConfig(path: string, variables: Readonly<Record<string, string>>): Promise<PrismaConfig> {
  const { value, unsetVariables } = await evaluateConfig(path, variables)
  const parsed = z.safeParse(shape, value)
  if (!parsed.success) {
    throw new LockstepError("L1303", `${relative(process.cwd(), path)} is not a valid Prisma configuration`, {
      hint: z.prettifyError(parsed.error),
    })
  }
  const { schema, migrations, datasource, tables, enums } = parsed.data
  const absolute = (file: string | undefined) => (file === undefined ? undefined : resolve(dirname(path), file))
  return {
    path,
    schema: absolute(schema),
    migrations: absolute(migrations?.path),
    seed: migrations?.seed,
    url: datasource?.directUrl || datasource?.url || undefined,
    urlVariable: urlVariableIn(readFileSync(path, "utf8")),
    shadowUrl: datasource?.shadowDatabaseUrl || undefined,
    initShadowDb: migrations?.initShadowDb,
    external: { tables: tables?.external ?? [], enums: enums?.external ?? [] },
    unsetVariables,
  }
}

/** The variable that the text of a prisma.config names for the database's URL; of two, the direct one's. */
export function urlVariableIn(text: string): string | undefined {
  const code = text.replaceAll(comment, "")
  const found = ["directUrl", "url"].map((name) =>
    new RegExp(`\\b${name}["']?\\s*:\\s*${variable.source}`).exec(code)?.slice(1),
  )
  return found.flatMap((names) => names?.find((name) => name !== undefined) ?? [])[0]
}

/** Of either kind; not the slashes of a path or a URL in a text. */
const comment = /(?<![^\s{}()[\],;])(?:\/\*[\s\S]*?\*\/|\/\/.*$)/gm

/** `env("NAME")`, `process.env.NAME`, `process.env["NAME"]`. */
const variable = /(?:env(?:<\w+>)?\(\s*["'`](\w+)["'`]|process\.env(?:\.(\w+)|\[["'`](\w+)["'`]\]))/

/** `import` takes three times as long for the same file: Node first searches it for its exports. */
const require: (name: "jiti") => typeof import("jiti") = createRequire(import.meta.url)

interface EvaluatedConfig {
  readonly value: unknown
  readonly unsetVariables: readonly string[]
}

/**
 * Runs a prisma.config. `prisma/config` is replaced: the original takes longer to load than a deploy takes, and its `env()`
 * throws for a variable that is not set, where Lockstep goes on to the next source of a URL.
 */
async function evaluateConfig(path: string, variables: Readonly<Record<string, string>>): Promise<EvaluatedConfig> {
  const { log, info } = console
  // stdout is for the command's result, and dotenv, for one, prints to it.
  console.log = console.info = console.error
  try {
    if (needsOnlyNode(path)) return { value: await importDefault(path), unsetVariables: [] }
    const unset = new Set<string>()
    const env = (name: string) => {
      if (!process.env[name]) unset.add(name)
      return process.env[name] || variables[name]
    }
    const value = await importWithPrismaConfig(path, { defineConfig: (config: unknown) => config, env })
    return { value, unsetVariables: [...unset] }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new LockstepError("L1303", `${relative(process.cwd(), path)} cannot be loaded: ${message.split("\n")[0]}`, {
      cause,
      next: "fix it, or name the migrations with --migrations and the database with DATABASE_URL",
    })
  } finally {
    Object.assign(console, { log, info })
  }
}

/** Without jiti a `status` or `deploy` with nothing to do is 10 % faster. */
const needsOnlyNode = (path: string): boolean =>
  path.endsWith(".mjs") && !/\b(import|require)\b/.test(readFileSync(path, "utf8"))

async function importDefault(path: string): Promise<unknown> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href)
  return module.default
}

/** Runs it with `prismaConfig` in place of the module prisma/config. */
async function importWithPrismaConfig(path: string, prismaConfig: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { createJiti } = require("jiti")
  const jiti = createJiti(path, {
    interopDefault: true,
    extensions: extensions.map((one) => `.${one}`),
    virtualModules: { "prisma/config": prismaConfig, "@prisma/config": prismaConfig },
  })
  return await jiti.import(path, { default: true })
}
