import type { SchemaEngine } from "@prisma/schema-engine-wasm/schema_engine_bg"
import * as z from "zod/mini"
import { noModels } from "../../change/diff.js"
import type { ExternalObjects } from "../../history/recorded.js"
import { inPrisma5Order } from "../../project/implicit-relations.js"
import type { TakeLock } from "../adapter.js"
import { beyondEachOther, beyondHistory, container, type Engine } from "../engine.js"
import { InvalidInput } from "../wasm.js"
import type { EngineArguments } from "./arguments.js"
import type { CliStderr } from "./cli-stderr.js"
import { canConnect, createDatabase, execute } from "./database.js"
import { listMigrationDirectories, translate } from "./dialects.js"
import { enginesFor, urlFor, withoutTypes } from "./engines.js"
import { pull } from "./extensions.js"
import type { Channel, Params } from "./protocol.js"
import { introspectSql } from "./typed-sql.js"

export type Method = (params: Params) => Promise<unknown>

/** Handed to the engine as they come: it checks their shape itself. */
const passed = [
  "createMigration",
  "devDiagnostic",
  "diagnoseMigrationHistory",
  "evaluateDataLoss",
  "markMigrationApplied",
  "markMigrationRolledBack",
  "reset",
  "schemaPush",
] as const satisfies readonly (keyof SchemaEngine)[]

type Called = (typeof passed)[number] | "introspect"

const names = z.array(z.string())
const applyParams = z.object({
  migrationsList: z.object({ baseDir: z.string() }),
  /** Absent before Prisma 6.13. */
  filters: z.catch(z.object({ externalTables: names, externalEnums: names }), {
    externalTables: [],
    externalEnums: [],
  }),
})
const executeParams = z.object({ script: z.string() })

/** The person at Prisma's CLI. */
export interface Person {
  /** Shows a text. */
  readonly print: (text: string) => void
  /** Aborted when they interrupt the command. */
  readonly signal: AbortSignal
}

/** What is to be applied where. */
export interface Order {
  readonly url: string
  readonly migrationsDir: string
  /** prisma.config's tables.external and enums.external. */
  readonly external: ExternalObjects
}

/** What is done in the engine's place. */
export interface Guards {
  /** Applies the migrations of a folder. Returns the applied names. */
  applyMigrations(order: Order, person: Person): Promise<readonly string[]>
  /** Has the history adopt what is squashed in the folder, and applies nothing. */
  adoptSquashed(order: Order, person: Person): Promise<void>
  /** How the migration lock of a database is taken. */
  lockWith(url: string, person: Person): TakeLock
}

export interface MethodContext extends Guards {
  readonly signal: AbortSignal
  /** Where our own report goes. */
  readonly cliStderr: CliStderr
}

/** The methods of the schema engine over one database, and how to end them. */
interface Methods {
  readonly table: ReadonlyMap<string, Method>
  /** The URL of the database that the last call was about; empty where there was none. */
  readonly url: () => string
  readonly close: () => Promise<void>
}

/** What Prisma's CLI may ask for; the engine is opened with the first call that needs it. */
export function methodsFor(
  args: EngineArguments,
  { print, passOn }: Pick<Channel, "print" | "passOn">,
  { signal, applyMigrations, adoptSquashed, lockWith, cliStderr: stderr }: MethodContext,
): Methods {
  const person: Person = { print, signal }
  let known = args
  /** The URL that the call at work names for itself counts, and not the one that the process was started with. */
  let named: string | undefined
  const engines = enginesFor(() => known, { log: passOn, lockWith: (url) => lockWith(url, person) })
  const { close } = engines
  const engine = (): Promise<Engine> => engines.on(known.url)
  const call = (method: Called, params: Params) => forward(engine, method, params)
  const url = (): string => named ?? known.url ?? ""
  const orderOf = (params: Params): Order => {
    const { migrationsList, filters } = z.parse(applyParams, params)
    const external = { tables: filters.externalTables, enums: filters.externalEnums }
    return { url: url(), migrationsDir: migrationsList.baseDir, external }
  }
  const table = new Map<string, Method>([
    ...passed.map((method): [string, Method] => [method, (params) => call(method, params)]),
    [
      "introspect",
      async (params) => {
        if (args.extensionTypes.length > 0) stderr.say(withoutTypes(args.extensionTypes))
        return await pull((given) => call("introspect", { namespaces: null, ...given }), params, url())
      },
    ],
    [
      "applyMigrations",
      async (params) => {
        urlFor(args.schemaFiles, url())
        return { appliedMigrationNames: await applyMigrations(orderOf(params), person) }
      },
    ],
    [
      "devDiagnostic",
      async (params) => {
        // The engine would take the rows of what is squashed for a history that differs, and `migrate dev` reset.
        const order = z.safeParse(applyParams, params).success ? orderOf(params) : undefined
        if (order !== undefined && order.url !== "") await adoptSquashed(order, person)
        return await call("devDiagnostic", params)
      },
    ],
    [
      "diff",
      async (params) =>
        await answerDiff(await engines.on(needsDatabase(params) ? (named ?? known.url) : undefined), params, print),
    ],
    ["dbExecute", async (params) => await execute(url(), z.parse(executeParams, params).script)],
    [
      "ensureConnectionValidity",
      async () => {
        await canConnect(url())
        return {}
      },
    ],
    ["createDatabase", async () => ({ databaseName: await createDatabase(url(), "must not exist") })],
    ["introspectSql", (params) => introspectSql(params, url())],
    ["getDatabaseVersion", async () => await (await engine()).raw((each) => each.version())],
    ["listMigrationDirectories", async (params) => listMigrationDirectories(params)],
    ["debugPanic", async () => await (await engine()).raw(async (each) => each.debugPanic())],
  ])
  const recovering =
    (method: Method): Method =>
    async (params) =>
      await method(params).catch(async (error: unknown) => {
        // The engine takes the call that it could not read for one that still runs.
        if (error instanceof InvalidInput) await close()
        throw error
      })
  const translated =
    (name: string, method: Method): Method =>
    async (params) => {
      named = undefined
      const request = translate(name, params)
      named = request.url || urlIn(request.params)
      known = { ...known, url: known.url ?? request.url, shadowUrl: request.shadowUrl ?? known.shadowUrl }
      return request.answer(await method(request.params))
    }
  return {
    table: new Map([...table].map(([name, method]) => [name, translated(name, recovering(method))])),
    url,
    close,
  }
}

/** `introspectSql` names its database by itself. */
const urlIn = ({ url }: Params): string | undefined => (typeof url === "string" && url !== "" ? url : undefined)

/** These change the database without asking for the lock. */
const needLock: readonly string[] = ["reset", "schemaPush"]

/** These find the history's schema in the engine only after `devDiagnostic` for the same list in the same process. */
const needReplay: readonly string[] = ["evaluateDataLoss", "createMigration"]

/** The engine checks the rest itself. */
const files = z.array(z.object({ path: z.string(), content: z.string() }))
const migrationDirectories = z.array(
  z.looseObject({
    path: z.string(),
    migrationFile: z.looseObject({ content: z.looseObject({ tag: z.string(), value: z.string() }) }),
  }),
)
const beside = z.looseObject({
  schema: z.object({ files }),
  migrationsList: z.looseObject({ migrationDirectories }),
})

async function beyond(params: Params): Promise<Params> {
  const { data } = z.safeParse(beside, params)
  if (data === undefined) return params
  return { ...params, schema: container(await beyondHistory(data.migrationsList, data.schema.files)) }
}

async function forward(engine: () => Promise<Engine>, method: Called, given: Params): Promise<unknown> {
  const opened = await engine()
  const params = needReplay.includes(method) ? await beyond(given) : given
  const ask = (name: Called, input: Params): Promise<unknown> =>
    opened.raw((each) => Reflect.apply(each[name], each, [input]))
  if (needLock.includes(method)) return await opened.locked(() => ask(method, params))
  try {
    return await ask(method, params)
  } catch (error) {
    const unprepared = error instanceof Error && error.message.includes("shadow DB must be provided")
    if (!unprepared || !needReplay.includes(method)) throw error
    await ask("devDiagnostic", { migrationsList: params.migrationsList, filters: params.filters })
    return await ask(method, params)
  }
}

const side = z.looseObject({
  tag: z.string(),
  files: z.optional(files),
  migrationDirectories: z.optional(migrationDirectories),
})
const diffParams = z.looseObject({ from: side, to: side })

/** Where both sides are known without a database, none is connected to. */
function needsDatabase(params: Params): boolean {
  const { from, to } = z.parse(diffParams, params)
  return [from, to].some(({ tag }) => tag !== "empty" && tag !== "schemaDatamodel")
}

const diffOutcome = z.object({ exitCode: z.number(), stdout: z.nullable(z.string()) })

/** `diff`: its text goes to the person through a `print` request, as the CLI expects of a schema engine that is a process. */
async function answerDiff(engine: Engine, input: unknown, print: (text: string) => void): Promise<unknown> {
  const { from, to, ...rest } = z.parse(diffParams, input)
  const sides = await beyondEachOther(from, to)
  const request = { ...rest, from: withDatabase(sides.from), to: withDatabase(sides.to) }
  const answer = await engine.raw(async (each): Promise<unknown> => Reflect.apply(each.diff, each, [request]))
  const { exitCode, stdout } = z.parse(diffOutcome, answer)
  if (stdout) print(inPrisma5Order(stdout, to.files ?? []))
  return { exitCode, stdout: null }
}

/** This build of the engine knows the database that it is connected to, and takes no URL. */
function withDatabase(target: { readonly tag: string }): object {
  return target.tag === "url" ? { tag: "schemaDatasource", ...container(noModels), configDir: "" } : target
}
