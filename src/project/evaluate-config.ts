import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { relative } from "node:path"
import { pathToFileURL } from "node:url"
import { LockstepError } from "../errors.js"

/** In the order in which Prisma looks for them. */
export const configExtensions = ["js", "ts", "mjs", "cjs", "mts", "cts"]

/** Imported, the same file takes three times as long: Node first searches it for what it exports. */
const require: (name: "jiti") => typeof import("jiti") = createRequire(import.meta.url)

/** What a prisma.config exports, and the variables that its `env()` did not find in the environment. */
export interface EvaluatedConfig {
  readonly value: unknown
  readonly unsetVariables: readonly string[]
}

/**
 * Runs a prisma.config. `prisma/config` is replaced, because the original takes longer to load than a deploy takes,
 * and because its `env()` throws for a variable that is not set, where Lockstep looks in the next place.
 * Errors: L1303 it cannot be loaded.
 */
export async function evaluateConfig(
  path: string,
  variables: Readonly<Record<string, string>>,
): Promise<EvaluatedConfig> {
  const { log, info } = console
  // What a configuration prints (dotenv greets on stdout) is no part of our answer.
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
      next: "mend it, or name the migrations with --migrations and the database with DATABASE_URL",
    })
  } finally {
    Object.assign(console, { log, info })
  }
}

/** jiti's own start is a fifth of a deploy that has nothing to do. */
const needsOnlyNode = (path: string): boolean =>
  path.endsWith(".mjs") && !/\b(import|require)\b/.test(readFileSync(path, "utf8"))

async function importDefault(path: string): Promise<unknown> {
  const module: { default?: unknown } = await import(pathToFileURL(path).href)
  return module.default
}

/** Runs it with `prismaConfig` in place of what Prisma exports as prisma/config. */
async function importWithPrismaConfig(path: string, prismaConfig: Readonly<Record<string, unknown>>): Promise<unknown> {
  const { createJiti } = require("jiti")
  const jiti = createJiti(path, {
    interopDefault: true,
    extensions: configExtensions.map((one) => `.${one}`),
    virtualModules: { "prisma/config": prismaConfig, "@prisma/config": prismaConfig },
  })
  return await jiti.import(path, { default: true })
}
