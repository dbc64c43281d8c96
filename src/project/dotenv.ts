import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parse } from "dotenv"

/** One .env file's variables, and the file they came from. */
export interface Dotenv {
  readonly path: string
  readonly variables: Readonly<Record<string, string>>
}

/**
 * The .env files that Prisma reads, in its order: beside the project, then beside the schema, then in prisma/.
 * They are read, not put into the process's environment.
 */
export function readDotenv(root: string, schemaPath: string | undefined): readonly Dotenv[] {
  const folders = new Set([root, ...(schemaPath ? [schemaPath, dirname(schemaPath)] : []), join(root, "prisma")])
  return [...folders].flatMap((folder) => {
    const path = join(folder, ".env")
    const text = readIfThere(path)
    return text === undefined ? [] : [{ path, variables: expand(parse(text), process.env) }]
  })
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

const reference = /(\\)?\$(?:\{(\w+)(?::?-([^{}]*))?\}|([A-Za-z_]\w*))/g
const deepest = 10

/**
 * Puts in the variables that values refer to, as `${NAME}`, `${NAME:-default}` or `$NAME`; `environment` wins over the
 * file, as for Prisma. `\\$` is a plain dollar, and so is one before a bare name that nobody knows: passwords hold them.
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
      if (value && depth < deepest) return resolve(value, depth + 1)
      return bare && value === undefined ? whole : (fallback ?? "")
    })
  return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, resolve(value, 0)]))
}
