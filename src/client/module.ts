import { existsSync } from "node:fs"
import { rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, isAbsolute, join, relative, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { execa } from "execa"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { settingsThatConnect } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { prismaMajor } from "../project/manifest.js"
import type { SchemaFiles } from "../project/schema.js"

const field = z.object({ name: z.string(), kind: z.string(), type: z.string(), dbName: z.optional(z.string()) })

const runtimeDataModel = z.object({
  models: z.record(
    z.string(),
    z.object({
      fields: z.readonly(z.array(field)),
      dbName: z.nullable(z.string()),
      schema: z.optional(z.nullable(z.string())),
    }),
  ),
})

export type Field = z.infer<typeof field>
/** The models of the schema, as a generated client holds them while it runs. */
type DataModel = z.infer<typeof runtimeDataModel>
/** The client's enums, with the names by which it accepts their values. */
export type Enums = Readonly<Record<string, Readonly<Record<string, string>>>>

const enums = z.object({ $Enums: z._default(z.record(z.string(), z.record(z.string(), z.string())), {}) })

export type Row = Readonly<Record<string, unknown>>

/** The client's methods for one model, as far as they are used here. */
export interface Delegate {
  create(args: { data: Row; select?: Row }): Promise<Row>
  findFirst(args?: { where?: Row; select?: Row }): Promise<Row | null>
  updateMany(args: { where: Row; data: Row }): Promise<{ count: number }>
  deleteMany(args: { where: Row }): Promise<{ count: number }>
}

/** A client inside of a transaction. */
export interface Transaction {
  $executeRawUnsafe(sql: string): Promise<number>
  readonly [model: string]: unknown
}

/** A generated client, connected, and its enums. */
export interface LoadedClient {
  readonly client: Client
  readonly enums: Enums
}

/** Prisma Client, as far as it is used here. */
export interface Client extends Transaction {
  $transaction(work: (transaction: Transaction) => Promise<void>): Promise<void>
  $queryRawUnsafe(sql: string, ...values: readonly unknown[]): Promise<readonly Row[]>
  $disconnect(): Promise<void>
}

type ClientOptions = { readonly errorFormat: "minimal" } & (
  | { readonly adapter: object }
  /** Of a client with a native engine, up to Prisma 6. */
  | { readonly datasourceUrl: string }
)

type Class<Options, Made> = new (...options: Options[]) => Made

const classNamed = <C>(name: string) =>
  z.pipe(
    z.object({ [name]: z.custom<C>((value) => typeof value === "function") }),
    z.transform((found) => found[name]),
  )

/**
 * Loads the generated client and connects it: as Prisma 7 does, with the project's own driver adapter, or up to Prisma 6
 * a client with a native engine by its URL. Errors: L1320 the client or its adapter does not exist or cannot be loaded.
 */
export async function loadClient(root: string, generator: ClientGenerator, url: DatabaseUrl): Promise<LoadedClient> {
  requireClient(root, generator)
  const connected = hasNativeEngine(root, generator) ? { datasourceUrl: url.text } : await adapterOver(root, url)
  const clients = await load(root, generator.entry, generateFirst)
  const PrismaClient = z.parse(classNamed<Class<ClientOptions, Client>>("PrismaClient"), clients)
  if (PrismaClient === undefined) throw new LockstepError("L1320", "no PrismaClient was found")
  // Other formats look for the source text of the caller, which does not exist here.
  const client = made(() => new PrismaClient({ ...connected, errorFormat: "minimal" }))
  return { client, enums: z.parse(enums, clients).$Enums }
}

/** What npm installs in a client's place until it is generated throws. */
function made(make: () => Client): Client {
  try {
    return make()
  } catch (cause) {
    const [message] = (cause instanceof Error ? cause.message : String(cause)).trim().split("\n")
    throw new LockstepError("L1320", `the client cannot be used: ${message}`, { cause, next: generateFirst })
  }
}

async function adapterOver(root: string, url: DatabaseUrl): Promise<{ readonly adapter: object }> {
  const adapters = await load(root, "@prisma/adapter-pg", "`npm install @prisma/adapter-pg`")
  const Adapter = z.parse(classNamed<Class<object, object>>("PrismaPg"), adapters)
  if (Adapter === undefined) throw new LockstepError("L1320", "@prisma/adapter-pg has no PrismaPg")
  return { adapter: new Adapter(await settingsThatConnect(url), { schema: url.schema }) }
}

/** From Prisma 7 on no client has one; before, all but those of `engineType = "client"`. */
export const hasNativeEngine = (root: string, { engineType }: ClientGenerator): boolean =>
  engineType !== "client" && (prismaMajor(root) ?? 7) < 7

const generateFirst = "`lockstep generate`"

/** Errors: L1320 the client was not generated. */
export function requireClient(root: string, { entry }: ClientGenerator): void {
  const missing = isAbsolute(entry) ? !existsSync(entry) : !isGeneratedInPackage(root)
  if (!missing) return
  const shown = isAbsolute(entry) ? relative(process.cwd(), entry) : `${entry} holds none`
  throw new LockstepError(
    "L1320",
    `the client was not generated: ${shown}${isAbsolute(entry) ? " does not exist" : ""}`,
    {
      next: generateFirst,
    },
  )
}

/** Without an output the client's files are generated beside the package @prisma/client. */
function isGeneratedInPackage(root: string): boolean {
  try {
    const client = createRequire(join(root, "package.json")).resolve("@prisma/client")
    createRequire(client).resolve(".prisma/client/default")
    return true
  } catch {
    return false
  }
}

/** The client's property for a model: `orderItem` for OrderItem. */
export const delegateName = (model: string): string => `${model.slice(0, 1).toLowerCase()}${model.slice(1)}`

/** The models of a client. Errors: L1320 it is of a version that is not supported. */
export function dataModelOf(client: Client): DataModel {
  const parsed = z.safeParse(runtimeDataModel, client._runtimeDataModel)
  if (parsed.success) return parsed.data
  throw new LockstepError("L1320", "the models of the generated client cannot be read", {
    hint: z.prettifyError(parsed.error),
  })
}

async function load(root: string, name: string, next: string): Promise<unknown> {
  try {
    const { createJiti } = await import("jiti")
    const here = createRequire(join(root, "package.json"))
    return await createJiti(pathToFileURL(join(root, "package.json")).href).import(here.resolve(name))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split("\n")[0] : String(cause)
    throw new LockstepError("L1320", `${name} cannot be loaded: ${message}`, { cause, next })
  }
}

/** A generator of Prisma Client in the schema, and the module that it makes. */
export interface ClientGenerator {
  readonly name: string
  readonly provider: "prisma-client" | "prisma-client-js"
  /** A file, or a package's name where the schema names no output. */
  readonly entry: string
  /** "client" for a client without a native engine, which Prisma 6.16 to 6.19 also make. */
  readonly engineType: string | undefined
}

/** The generators of Prisma Client that a schema's files hold. Source: Prisma's schema reference, "Generators". */
export function clientGenerators(files: SchemaFiles): readonly ClientGenerator[] {
  return files.flatMap(({ path, content }) =>
    [...content.matchAll(/^\s*generator\s+(\w+)\s*\{([^}]*)\}/gm)].flatMap(([, name = "", body = ""]) => {
      const provider = setting(body, "provider")
      if (provider !== "prisma-client" && provider !== "prisma-client-js") return []
      const output = setting(body, "output")
      const folder = output === undefined ? undefined : resolve(dirname(path), output)
      const entry = entryOf(provider, folder, setting(body, "generatedFileExtension") ?? "ts")
      return [{ name, provider, entry, engineType: setting(body, "engineType") }]
    }),
  )
}

function entryOf(provider: ClientGenerator["provider"], folder: string | undefined, extension: string): string {
  if (folder === undefined) return "@prisma/client"
  return provider === "prisma-client" ? join(folder, `client.${extension}`) : join(folder, "index.js")
}

const setting = (body: string, key: string): string | undefined =>
  new RegExp(`^\\s*${key}\\s*=\\s*"([^"]*)"`, "m").exec(body)?.[1]

const options = [
  ["--noEmit", "--strict", "--target", "es2023", "--module", "esnext", "--moduleResolution", "bundler"],
  ["--types", "node", "--allowImportingTsExtensions", "--skipLibCheck", "--pretty", "false"],
].flat()

/** A program that uses the client and each of its models: the generated files themselves have @ts-nocheck. */
const program = (
  entry: string,
  models: readonly string[],
): string => `import { PrismaClient } from ${JSON.stringify(entry)}
declare const client: PrismaClient
export const made: typeof PrismaClient = PrismaClient
export const calls = [
${models.map((model) => `  () => client.${delegateName(model)}.findFirst(),`).join("\n")}
]
`

/**
 * Type-checks the generated client's use with the project's own TypeScript; "absent" where the project has none.
 * Errors: L1320 the client does not exist, L1321 there are type errors.
 */
export async function typeCheck(
  root: string,
  generator: ClientGenerator,
  models: readonly string[],
): Promise<"checked" | "absent"> {
  requireClient(root, generator)
  const compiler = compilerOf(root)
  if (compiler === undefined) return "absent"
  const types = existsSync(join(root, "node_modules/@types/node")) ? options : options.filter((word) => !isNode(word))
  const file = join(root, `.lockstep-${process.pid}.ts`)
  await writeFile(file, program(generator.entry, models))
  try {
    const result = await execa(process.execPath, [compiler, ...types, file], { cwd: root, reject: false, all: true })
    if (!result.failed) return "checked"
    throw new LockstepError("L1321", "the generated client has type errors", { hint: result.all.trim() })
  } finally {
    await rm(file, { force: true })
  }
}

const isNode = (word: string): boolean => word === "--types" || word === "node"

function compilerOf(root: string): string | undefined {
  try {
    return createRequire(join(root, "package.json")).resolve("typescript/bin/tsc")
  } catch {
    return undefined
  }
}
