import type {
  CreateMigrationOutput,
  DevAction,
  DiffTarget,
  EvaluateDataLossOutput,
  MigrationList,
  SchemaEngine,
  SchemaPushOutput,
  SchemasContainer,
} from "@prisma/schema-engine-wasm/schema_engine_bg"
import { extensionsIn, extensionsInSchema, withoutExtensions } from "../project/extensions.js"
import { inPrisma5Order } from "../project/implicit-relations.js"
import { withoutKnownOperatorClasses } from "../project/operator-classes.js"
import type { SchemaFiles } from "../project/schema.js"
import type { ScratchSetting } from "../scratch/database.js"
import type { Step } from "../scratch/replay.js"
import type { TakeLock } from "./adapter.js"
import { adapterFactory, type Databases, type ReplayCache } from "./adapter-factory.js"
import { EnginePanic, engineFailure, explain } from "./engine-error.js"
import { loadEngine, orPanic } from "./wasm.js"

/** Tables and enums that the engine must leave alone (prisma.config's tables.external and enums.external). */
export interface External {
  readonly tables: readonly string[]
  readonly enums: readonly string[]
}

/** The database that the engine works on, and what prisma.config says about it. */
export interface EngineSetting extends ScratchSetting {
  readonly external?: External | undefined
  /** Takes the migration lock where a change of the database needs it. */
  readonly takeLock?: TakeLock | undefined
  /** The scratch databases of several engines that replay the same history, one after another; the caller closes them. */
  readonly replays?: ReplayCache | undefined
}

/**
 * Opens the engine, does the work, and closes it whatever happens. What fails is a LockstepError. `schemaFiles` name
 * the PostgreSQL schemas that count (`schemas = [...]`); without them it is the URL's.
 */
export async function withEngine<T>(
  setting: EngineSetting,
  schemaFiles: SchemaFiles | undefined,
  work: (engine: Engine) => Promise<T>,
): Promise<T> {
  try {
    const engine = await openEngine({ ...setting, schemaFiles })
    return await work(engine).finally(() => engine.dispose())
  } catch (failure) {
    throw explain(failure)
  }
}

/** What Lockstep uses of Prisma's schema engine; calls are made one after another. `explain` makes their errors readable. */
export interface Engine {
  /** Replays the history; later calls for the same list then need no scratch database of their own. */
  devDiagnostic(migrations: MigrationList): Promise<DevAction>
  /** Only after `devDiagnostic` for the same, fully applied list. */
  evaluateDataLoss(migrations: MigrationList, schema: SchemaFiles): Promise<EvaluateDataLossOutput>
  /** The SQL from the history to the schema, or an empty draft where they agree. Only after `devDiagnostic`. */
  createMigration(migrations: MigrationList, schema: SchemaFiles, name: string): Promise<CreateMigrationOutput>
  /** SQL that leads from `from` to `to`, or a summary for people. */
  diff(from: DiffTarget, to: DiffTarget, form: "script" | "summary"): Promise<Diff>
  /** Makes the database like the schema, under the migration lock. */
  schemaPush(schema: SchemaFiles, dataLoss: "refuse" | "accept"): Promise<SchemaPushOutput>
  /**
   * Drops and creates the schema of the URL and those that the Prisma schema names, the history with them, under the
   * migration lock.
   */
  reset(): Promise<void>
  /** Does work under the migration lock, on the engine's own connection: the engine does not take it for every change. */
  locked<T>(work: () => Promise<T>): Promise<T>
  /** Calls the engine itself. */
  raw<T>(call: (engine: SchemaEngine) => Promise<T>): Promise<T>
  /** Closes its connections and drops its scratch databases. */
  dispose(): Promise<void>
}

export interface Diff {
  readonly empty: boolean
  readonly text: string
}

export interface EngineOptions extends Databases {
  readonly schemaFiles?: SchemaFiles | undefined
  readonly external?: External | undefined
  /** Receives the engine's log lines, JSON each. */
  readonly log?: ((line: string) => void) | undefined
}

/** Opens Prisma's schema engine on a database. Errors: L12xx no connection, L1400 the engine cannot be loaded. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const factory = adapterFactory(options)
  const datamodels = options.schemaFiles?.map(({ path, content }): [string, string] => [path, content])
  const log = options.log ?? (() => undefined)
  const { errorRegistry } = factory.bound
  const call: Around = async (work) => {
    try {
      return await orPanic(work, (message) => new EnginePanic(message))
    } catch (cause) {
      throw engineFailure(cause, errorRegistry)
    }
  }
  try {
    const Engine = await loadEngine()
    const engine = await call(() => Engine.new({ datamodels }, log, factory.bound))
    const around = { call: oneAtATime(call), locked: factory.locked, readingBoth: factory.readingBoth }
    return { ...methods(engine, around, options.external), dispose: () => factory.close() }
  } catch (error) {
    await factory.close()
    throw error
  }
}

type Around = <T>(work: () => Promise<T>) => Promise<T>

/** The engine's object is borrowed for the length of a call: a second one meanwhile would panic. */
function oneAtATime(call: Around): Around {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const turn = last.then(() => call(work))
    last = turn.catch(() => undefined)
    return turn
  }
}

function methods(
  engine: SchemaEngine,
  { call, locked, readingBoth }: { readonly [name in "call" | "locked" | "readingBoth"]: Around },
  external: External = { tables: [], enums: [] },
): Omit<Engine, "dispose"> {
  const filters = { externalTables: [...external.tables], externalEnums: [...external.enums] }
  return {
    devDiagnostic: (migrationsList) =>
      call(() => readingBoth(() => engine.devDiagnostic({ migrationsList, filters }))).then(({ action }) => action),
    evaluateDataLoss: async (migrationsList, files) => {
      const schema = container(await beyondHistory(migrationsList, files))
      return await call(() => engine.evaluateDataLoss({ migrationsList, schema, filters }))
    },
    createMigration: async (migrationsList, files, migrationName) => {
      const schema = container(await beyondHistory(migrationsList, files))
      const request = { draft: true, migrationName, migrationsList, schema, filters }
      const created = await call(() => engine.createMigration(request))
      const { migrationScript: script } = created
      return { ...created, migrationScript: script && inPrisma5Order(script, files) }
    },
    diff: async (from, to, form) => {
      const request = { ...(await beyondEachOther(from, to)), script: form === "script", exitCode: true, filters }
      const { exitCode, stdout } = await call(() => engine.diff(request))
      const text = inPrisma5Order(stdout ?? "", to.tag === "schemaDatamodel" ? to.files : [])
      return { empty: exitCode === 0, text }
    },
    schemaPush: (files, dataLoss) => {
      const request = { force: dataLoss === "accept", schema: container(files), filters }
      return locked(() => call(() => engine.schemaPush(request)))
    },
    reset: () => locked(() => call(() => engine.reset({ filter: filters }))),
    locked,
    raw: (work) => call(() => work(engine)),
  }
}

/** A history as the engine takes it, as far as it is read here. */
interface History {
  readonly migrationDirectories: readonly {
    readonly path: string
    readonly migrationFile: { readonly content: { readonly tag: string; readonly value: string } }
  }[]
}

/**
 * The schema without what the history makes and the engine does not see there, and would make in every migration:
 * extensions (its build for WebAssembly gives the shadow database that it replays no preview features), and operator
 * classes of B-tree indexes.
 */
export async function beyondHistory({ migrationDirectories }: History, files: SchemaFiles): Promise<SchemaFiles> {
  const migrations = migrationDirectories.map(({ path, migrationFile: { content } }) => ({
    name: path,
    text: content.tag === "ok" ? content.value : "",
  }))
  const left = await withoutKnownOperatorClasses(files, migrations)
  if (!left.some(({ content }) => extensionsInSchema(content).size > 0)) return left
  return withoutExtensions(left, new Set((await extensionsIn(migrations)).keys()))
}

interface Side {
  readonly tag: string
  readonly files?: SchemaFiles | undefined
  readonly migrationDirectories?: History["migrationDirectories"] | undefined
}

/** The sides of a `diff`: a schema that is compared with a history, without what the engine does not see there. */
export async function beyondEachOther<Target extends Side>(
  from: Target,
  to: Target,
): Promise<{ from: Target; to: Target }> {
  const beyond = async (side: Target, { migrationDirectories }: Side): Promise<Target> =>
    side.files === undefined || migrationDirectories === undefined
      ? side
      : { ...side, ...container(await beyondHistory({ migrationDirectories }, side.files)) }
  return { from: await beyond(from, to), to: await beyond(to, from) }
}

/** Schema files in the engine's shape. */
export function container(files: SchemaFiles): SchemasContainer {
  return { files: files.map(({ path, content }) => ({ path, content })) }
}

/** The text of migration_lock.toml, as Prisma writes it. */
export const lockfileText = `# Please do not edit this file manually
# It should be added in your version-control system (e.g., Git)
provider = "postgresql"
`

/** A history in the engine's shape. */
export function historyList(dir: string, steps: readonly Step[], initShadowDb = ""): MigrationList {
  return {
    baseDir: dir,
    lockfile: { path: "migration_lock.toml", content: lockfileText },
    shadowDbInitScript: initShadowDb,
    migrationDirectories: steps.map(({ name, sql }) => ({
      path: name,
      migrationFile: { path: "migration.sql", content: { tag: "ok", value: sql } },
    })),
  }
}
