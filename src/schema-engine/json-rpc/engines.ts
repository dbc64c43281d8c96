import { LockstepError } from "../../errors.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../../postgres/url.js"
import type { SchemaFiles } from "../../project/schema.js"
import type { TakeLock } from "../adapter.js"
import { type Engine, type EngineOptions, openEngine } from "../engine.js"
import { EngineRefusal } from "../engine-error.js"
import type { EngineArguments } from "./arguments.js"
import { otherScheme } from "./failure.js"

/** The engines of one process, each opened with the first call that needs it. */
export interface Engines {
  /** On a database; without a URL, for what needs none. */
  readonly on: (url: string | undefined) => Promise<Engine>
  /** Ends them all; the next call opens new ones. */
  readonly close: () => Promise<void>
}

interface Opening extends Pick<EngineOptions, "log"> {
  readonly lockWith: (url: string) => TakeLock
}

/** The engines that the arguments of the process ask for, or what was found out since. Errors of `on`: P1013 the schema is another provider's, L12xx. */
export function enginesFor(args: () => EngineArguments, { log, lockWith }: Opening): Engines {
  const opened = new Map<string | undefined, Promise<Engine>>()
  const open = async (text: string | undefined): Promise<Engine> => {
    const { shadowUrl, schemaFiles, extensionTypes } = args()
    const used = typesUsed(schemaFiles ?? [], extensionTypes)
    if (used.length > 0) throw unsupportedTypes(used)
    const url = text === undefined ? undefined : urlFor(schemaFiles, text)
    return await openEngine({
      log,
      takeLock: text === undefined ? undefined : lockWith(text),
      url,
      shadowUrl: shadowUrl === undefined ? undefined : parseDatabaseUrl(shadowUrl),
      schemaFiles,
    })
  }
  return {
    on: (url) => {
      const engine = opened.get(url) ?? open(url)
      opened.set(url, engine)
      return engine
    },
    close: async () => {
      const engines = [...opened.values()]
      opened.clear()
      await Promise.allSettled(engines.map(async (engine) => await (await engine).dispose()))
    },
  }
}

/**
 * A database's URL. Errors: L12xx it is not one of PostgreSQL's; P1013 the schema is another provider's, which the engine
 * would take for PostgreSQL's all the same, and change or empty the database.
 */
export function urlFor(files: SchemaFiles | undefined, text: string): DatabaseUrl {
  const url = parseDatabaseUrl(text)
  const provider = (files ?? []).map(({ content }) => providerOf(content)).find((name) => name !== undefined)
  if (provider === undefined || ["postgresql", "postgres"].includes(provider)) return url
  throw new EngineRefusal(otherScheme(provider), { code: "P1013", cause: `the schema's provider is "${provider}"` })
}

const providerOf = (schema: string): string | undefined =>
  /^[ \t]*datasource\s+\w+\s*\{[^}]*?^\s*provider\s*=\s*"([^"]*)"/m.exec(schema.replace(/\/\/.*$/gm, ""))?.[1]

/** This build of the engine takes no types from outside. */
const lacking = "this build of Prisma's schema engine has no support for `extensions` of prisma.config"

/** What a pull does with columns of these types. */
export const withoutTypes = (types: readonly string[]): string =>
  `note  ${lacking}: columns of ${types.join(", ")} become Unsupported("…")`

const field = /^[ \t]+\w+[ \t]+(\w+)/gm

function typesUsed(files: SchemaFiles, types: readonly string[]): readonly string[] {
  const used = new Set(files.flatMap(({ content }) => [...content.matchAll(field)].map(([, type]) => type)))
  return types.filter((type) => used.has(type))
}

const unsupportedTypes = (types: readonly string[]): LockstepError =>
  new LockstepError("L1341", `the schema uses ${types.join(", ")}: ${lacking}`, {
    state: "nothing was touched.",
    next: 'declare these columns as Unsupported("…"), or use Prisma\'s own engine for this command (unset PRISMA_SCHEMA_ENGINE_BINARY); migrations that exist are deployed all the same',
  })
