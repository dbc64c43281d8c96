import { statSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { evaluateConfig, configExtensions as extensions } from "./evaluate-config.js"

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
  datasource: z.optional(z.object({ url: text, shadowDatabaseUrl: text })),
  tables: names,
  enums: names,
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
  readonly external: External
  /** Variables that its `env()` did not find in the environment: under Prisma's own CLI it throws for each. */
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
  throw new LockstepError("L1303", `there is no configuration file ${path}`, { next: "correct --config" })
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/**
 * Runs a prisma.config and reads what it says; `variables` are those of the .env files, for its `env()`.
 * Errors: L1303 it cannot be loaded, or holds something else than Prisma documents.
 */
export async function readConfig(path: string, variables: Readonly<Record<string, string>>): Promise<PrismaConfig> {
  const { value, unsetVariables } = await evaluateConfig(path, variables)
  const parsed = z.safeParse(shape, value)
  if (!parsed.success) {
    throw new LockstepError("L1303", `${relative(process.cwd(), path)} does not hold what Prisma expects`, {
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
    url: datasource?.url || undefined,
    shadowUrl: datasource?.shadowDatabaseUrl || undefined,
    initShadowDb: migrations?.initShadowDb,
    external: { tables: tables?.external ?? [], enums: enums?.external ?? [] },
    unsetVariables,
  }
}
