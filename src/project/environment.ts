import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { parse } from "dotenv"

/** One .env file and its variables. */
export interface Dotenv {
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
}

/**
 * The .env files that Prisma reads, in its order: beside the project, then beside the schema, then in prisma/.
 * They do not change the process's environment.
 */
export function readDotenv(root: string, schemaPath: string | undefined): readonly Dotenv[] {
  const folders = new Set([root, ...(schemaPath ? [schemaPath, dirname(schemaPath)] : []), join(root, "prisma")])
  return [...folders].flatMap((folder) => {
    const path = join(folder, ".env")
    const text = readIfPresent(path)
    return text === undefined ? [] : [{ path, variables: expand(parse(text), process.env) }]
  })
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/** A reference to a variable: the backslash before it, its name in braces, the default, its bare name. */
const reference = /(\\)?\$(?:\{(\w+)(?::?-([^{}]*))?\}|([A-Za-z_]\w*))/g
/** Ends variables that refer to themselves. */
const maximumDepth = 10

/**
 * Replaces references to variables in the values: `${NAME}`, `${NAME:-default}` or `$NAME`; `environment` wins over the
 * file, as for Prisma. `\\$` is a plain dollar, and so is one before a bare name that is not defined: passwords hold them.
 */
export function expand(
  variables: Readonly<Record<string, string>>,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const resolve = (text: string, depth: number): string =>
    text.replace(reference, (whole, escaped, braced, fallback, bare) => {
      const name = braced ?? bare
      if (escaped) return whole.slice(1)
      if (environment[name]) return environment[name]
      const value = variables[name]
      if (value && depth < maximumDepth) return resolve(value, depth + 1)
      return bare && value === undefined ? whole : (fallback ?? "")
    })
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, resolve(value, 0)]))
}

/** The variables with which Prisma's CLI uses Lockstep's schema engine and makes no request to Prisma's servers. */
export const prismaEnvironment = (): Readonly<Record<string, string>> => ({
  PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY || schemaEnginePath(),
  PRISMA_HIDE_UPDATE_MESSAGE: process.env.PRISMA_HIDE_UPDATE_MESSAGE || "1",
  CHECKPOINT_DISABLE: process.env.CHECKPOINT_DISABLE || "1",
})

/** This package's own program, wherever it is installed. */
const schemaEnginePath = (): string => createRequire(import.meta.url).resolve("prisma-lockstep/schema-engine")
