import { existsSync } from "node:fs"
import { dirname, join, resolve } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

/** Where Prisma looks for its configuration, in its order. Source: Prisma's "Prisma Config reference". */
const places = ["prisma.config", ".config/prisma"].flatMap((stem) =>
  ["js", "ts", "mjs", "cjs", "mts", "cts"].map((extension) => `${stem}.${extension}`),
)

const text = z.optional(z.string())

const shape = z.object({
  schema: text,
  migrations: z.optional(z.object({ path: text, seed: text, initShadowDb: text })),
  datasource: z.optional(z.object({ url: text, shadowDatabaseUrl: text })),
})

/** What a prisma.config says, with paths made absolute. */
export interface PrismaConfig {
  readonly path: string
  readonly schema: string | undefined
  readonly migrations: string | undefined
  readonly seed: string | undefined
  readonly url: string | undefined
  readonly shadowUrl: string | undefined
  readonly initShadowDb: string | undefined
}

/** The project's prisma.config, or the one that --config names; undefined where there is none. */
export function findConfig(root: string, named: string | undefined): string | undefined {
  if (named === undefined) return places.map((place) => join(root, place)).find((path) => existsSync(path))
  const path = resolve(root, named)
  if (existsSync(path)) return path
  throw new LockstepError("L1303", `there is no configuration file ${path}`, { next: "correct --config" })
}

/**
 * Runs a prisma.config. `prisma/config` is stood in for, because the original takes longer to load than a deploy
 * takes, and because its `env()` throws for a variable that is not set, where Lockstep goes on to the next place.
 * Errors: L1303 it cannot be loaded, or holds something else than Prisma documents.
 */
export async function readConfig(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<PrismaConfig> {
  const parsed = z.safeParse(shape, await evaluate(path, env))
  if (!parsed.success) {
    throw new LockstepError("L1303", `${path} does not hold what Prisma expects`, {
      hint: z.prettifyError(parsed.error),
    })
  }
  const { schema, migrations, datasource } = parsed.data
  const absolute = (file: string | undefined) => (file === undefined ? undefined : resolve(dirname(path), file))
  return {
    path,
    schema: absolute(schema),
    migrations: absolute(migrations?.path),
    seed: migrations?.seed,
    url: datasource?.url || undefined,
    shadowUrl: datasource?.shadowDatabaseUrl || undefined,
    initShadowDb: migrations?.initShadowDb,
  }
}

async function evaluate(path: string, env: Readonly<Record<string, string | undefined>>): Promise<unknown> {
  const { createJiti } = await import("jiti")
  const standIn = { defineConfig: (config: unknown) => config, env: (name: string) => env[name] ?? process.env[name] }
  const jiti = createJiti(path, { interopDefault: true, virtualModules: { "prisma/config": standIn } })
  try {
    return await jiti.import(path, { default: true })
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new LockstepError("L1303", `${path} cannot be loaded: ${message.split("\n")[0]}`, {
      cause,
      next: "mend it, or name the migrations with --migrations and the database with DATABASE_URL",
    })
  }
}
