import type {
  ApplyMigrationsOutput,
  CreateMigrationOutput,
  DevAction,
  DiffTarget,
  EvaluateDataLossOutput,
  MigrationList,
  SchemaEngine,
  SchemaPushOutput,
  SchemasContainer,
} from "@prisma/schema-engine-wasm/schema_engine_bg"
import type { DatabaseUrl } from "../postgres/url.js"
import type { SchemaFiles } from "../project/schema.js"
import { EnginePanic, engineFailure } from "./engine-error.js"
import { adapterFactory } from "./factory.js"
import type { TakeLock } from "./lock.js"
import { loadEngine, orPanic } from "./wasm.js"

export interface EngineOptions {
  /** Absent where only schemas are compared, which needs no database. */
  readonly url: DatabaseUrl | undefined
  /** A database of its own to replay the history in; without it one is created and dropped on the same server. */
  readonly shadowUrl?: DatabaseUrl | undefined
  /** They tell the engine which PostgreSQL schemas count (`schemas = [...]`). */
  readonly schemaFiles?: SchemaFiles | undefined
  /** Tables and enums that others manage (prisma.config's tables.external and enums.external). */
  readonly external?: External | undefined
  /** Takes the migration lock wherever it is needed; without it the engine waits for it inside of PostgreSQL. */
  readonly takeLock?: TakeLock | undefined
  /** Receives the engine's log lines, JSON each. */
  readonly log?: ((line: string) => void) | undefined
}

export interface External {
  readonly tables: readonly string[]
  readonly enums: readonly string[]
}

/** What Lockstep uses of Prisma's schema engine, one call after another. Errors of all methods: `explain` words them. */
export interface Engine {
  /** Replays the history; what follows in the same engine for the same list needs no shadow database of its own. */
  devDiagnostic(migrations: MigrationList): Promise<DevAction>
  /** Only after `devDiagnostic` for the same, fully applied list. */
  evaluateDataLoss(migrations: MigrationList, schema: SchemaFiles): Promise<EvaluateDataLossOutput>
  /** The SQL from the history to the schema; null where they agree and no draft is wanted. Only after `devDiagnostic`. */
  createMigration(
    migrations: MigrationList,
    schema: SchemaFiles,
    name: string,
    whenEqual: "nothing" | "draft",
  ): Promise<CreateMigrationOutput>
  /** SQL that takes `from` to `to`, or a summary for people; `empty` when they are equal. */
  diff(from: DiffTarget, to: DiffTarget, form: "script" | "summary"): Promise<Diff>
  /** Under the migration lock. */
  schemaPush(schema: SchemaFiles, force: boolean): Promise<SchemaPushOutput>
  /** Under the migration lock. */
  reset(): Promise<void>
  applyMigrations(migrations: MigrationList): Promise<ApplyMigrationsOutput>
  /** Does work under the migration lock, on the engine's own connection: the engine does not ask for it everywhere. */
  locked<T>(work: () => Promise<T>): Promise<T>
  /** The engine itself, for the shim, which hands requests through as they come. */
  raw<T>(call: (engine: SchemaEngine) => Promise<T>): Promise<T>
  /** Closes its connections and drops its shadow databases. */
  dispose(): Promise<void>
}

export interface Diff {
  readonly empty: boolean
  readonly text: string
}

/** Opens Prisma's schema engine on a database. Errors: L12xx no connection, L1400 the engine cannot be loaded. */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const factory = adapterFactory(options)
  const datamodels = options.schemaFiles?.map(({ path, content }): [string, string] => [path, content])
  const log = options.log ?? (() => undefined)
  const { errorRegistry } = factory.bound
  const told = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await orPanic(work, (message) => new EnginePanic(message))
    } catch (cause) {
      throw engineFailure(cause, errorRegistry)
    }
  }
  try {
    const Engine = await loadEngine()
    const engine = await told(() => Engine.new({ datamodels }, log, factory.bound))
    return { ...methods(engine, { told, locked: factory.locked }, options.external), dispose: () => factory.close() }
  } catch (error) {
    await factory.close()
    throw error
  }
}

type Around = <T>(work: () => Promise<T>) => Promise<T>

function methods(
  engine: SchemaEngine,
  { told, locked }: { readonly told: Around; readonly locked: Around },
  external: External = { tables: [], enums: [] },
): Omit<Engine, "dispose"> {
  const filters = { externalTables: [...external.tables], externalEnums: [...external.enums] }
  // The engine's object is borrowed for the length of a call: a second one meanwhile would panic.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => told(work))
    last = turn.catch(() => undefined)
    return turn
  }
  return {
    devDiagnostic: (migrationsList) =>
      inTurn(() => engine.devDiagnostic({ migrationsList, filters })).then(({ action }) => action),
    evaluateDataLoss: (migrationsList, schema) =>
      inTurn(() => engine.evaluateDataLoss({ migrationsList, schema: container(schema), filters })),
    createMigration: (migrationsList, schema, migrationName, whenEqual) =>
      inTurn(() =>
        engine.createMigration({
          draft: whenEqual === "draft",
          migrationName,
          migrationsList,
          schema: container(schema),
          filters,
        }),
      ),
    diff: async (from, to, form) => {
      const { exitCode, stdout } = await inTurn(() =>
        engine.diff({ from, to, script: form === "script", exitCode: true, filters }),
      )
      return { empty: exitCode === 0, text: stdout ?? "" }
    },
    schemaPush: (schema, force) =>
      locked(() => inTurn(() => engine.schemaPush({ force, schema: container(schema), filters }))),
    reset: () => locked(() => inTurn(() => engine.reset({ filter: filters }))),
    applyMigrations: (migrationsList) => inTurn(() => engine.applyMigrations({ migrationsList, filters })),
    locked,
    raw: (call) => inTurn(() => call(engine)),
  }
}

/** The shape in which the engine takes schema files. */
export function container(schema: SchemaFiles): SchemasContainer {
  return { files: schema.map(({ path, content }) => ({ path, content })) }
}
