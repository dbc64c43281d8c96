import { cpSync } from "node:fs"
import { join } from "node:path"
import type { MigrationList } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { defaultSettings } from "../../../src/deploy/context.js"
import { deploy } from "../../../src/deploy/deploy.js"
import { compare } from "../../../src/history/compare.js"
import { type Folder, readFolder } from "../../../src/history/folder.js"
import { readHistory } from "../../../src/history/recorded.js"
import { adopt, keepOneRow, markApplied, markRolledBack } from "../../../src/history/resolve.js"
import { describeCatalog } from "../../../src/postgres/catalog.js"
import { type Client, connect } from "../../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../../src/postgres/url.js"
import { type Engine, openEngine } from "../../../src/schema-engine/engine.js"
import { repository } from "../../support/cli.js"
import type { TestDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"

/** What both sides do to a database with the migrations of a folder. */
export interface Side {
  /** Applies what is pending; answers the names, or the code of the refusal. */
  deploy(database: TestDatabase, folder: Folder): Promise<readonly string[] | string>
  /** What is pending, failed and edited. */
  status(database: TestDatabase, folder: Folder): Promise<State>
  resolveApplied(database: TestDatabase, folder: Folder, name: string): Promise<void>
  resolveRolledBack(database: TestDatabase, folder: Folder, name: string): Promise<void>
}

export interface State {
  readonly pending: readonly string[]
  readonly failed: readonly string[]
  readonly edited: readonly string[]
}

/** Lockstep's own half: no engine. */
export const lockstepSide: Side = {
  async deploy({ url }, folder) {
    const signal = new AbortController().signal
    const request = {
      url: parseDatabaseUrl(url),
      folder,
      settings: defaultSettings,
      applicationName: "lockstep",
      signal,
    }
    try {
      return (await deploy({ ...request, onEvent: () => undefined })).applied
    } catch (error) {
      return codeOf(error)
    }
  },
  status: ({ url }, folder) =>
    withClient(url, async (client) => {
      const { pending, failed, edited } = compare(folder.migrations, (await readHistory(client, "public")) ?? [])
      return { pending: names(pending), failed: names(failed), edited: names(edited) }
    }),
  resolveApplied: ({ url }, folder, name) =>
    withClient(url, (client) => markApplied(client, "public", find(folder, name))),
  resolveRolledBack: ({ url }, _, name) => withClient(url, (client) => markRolledBack(client, "public", name)),
}

const noFilters = { externalTables: [], externalEnums: [] }

/** Prisma's schema engine itself, with its own applyMigrations, given what Prisma's CLI gives it. */
export const prismaSide: Side = {
  deploy: (database, folder) =>
    withEngine(database, (engine) =>
      engine.raw((each) => each.applyMigrations({ migrationsList: listOf(folder), filters: noFilters })),
    )
      .then(({ appliedMigrationNames }) => appliedMigrationNames)
      .catch(codeOf),
  status: (database, folder) =>
    withEngine(database, (engine) =>
      engine.raw(async (each) => {
        const diagnosis = await each.diagnoseMigrationHistory({
          migrationsList: listOf(folder),
          optInToShadowDatabase: false,
          filters: noFilters,
        })
        const { history, failedMigrationNames, editedMigrationNames } = diagnosis
        const pending = history && "unappliedMigrationNames" in history ? history.unappliedMigrationNames : []
        const without = pending.filter((name) => !failedMigrationNames.includes(name))
        return { pending: without, failed: failedMigrationNames, edited: editedMigrationNames }
      }),
    ),
  resolveApplied: async (database, folder, migrationName) =>
    void (await withEngine(database, (engine) =>
      engine.raw((each) => each.markMigrationApplied({ migrationName, migrationsList: listOf(folder) })),
    )),
  resolveRolledBack: async (database, _, migrationName) =>
    void (await withEngine(database, (engine) =>
      engine.raw((each) => each.markMigrationRolledBack({ migrationName })),
    )),
}

/** Of a migration that is recorded as applied more than once. */
export const keepOne = (database: TestDatabase, name: string): Promise<number> =>
  withClient(database.url, (client) => keepOneRow(client, "public", name))

/** The history is adopted as a whole. */
export const baseline = (database: TestDatabase, folder: Folder): Promise<void> =>
  withClient(database.url, (client) => adopt(client, "public", folder.migrations))

/** The example project's history. */
export const exampleHistory = (): Folder => readFolder(join(repository, "prisma/migrations"))

/** Its first migrations. */
export const prefix = (folder: Folder, count: number): Folder => ({
  ...folder,
  migrations: folder.migrations.slice(0, count),
})

/** A history of these migrations, in a folder of its own. */
export const historyOf = (migrations: Readonly<Record<string, string | Buffer>>): Folder =>
  readFolder(createProject({ migrations }).migrationsDir)

/** A project with the example's history, for the commands. */
export function exampleProject() {
  const project = createProject()
  cpSync(join(repository, "prisma/migrations"), project.migrationsDir, { recursive: true })
  return project
}

/** The history's rows but for ids and times. One that was run may also have taken no time, by the clock of who wrote it. */
export const rowsOf = (database: TestDatabase): Promise<Record<string, unknown>[]> =>
  database.query(`SELECT migration_name, checksum, finished_at IS NOT NULL AS finished, rolled_back_at IS NOT NULL AS rolled_back,
      applied_steps_count, logs, applied_steps_count = 0 AND started_at = finished_at AS at_once, finished_at < started_at AS backwards
    FROM _prisma_migrations ORDER BY started_at`)

/** The history table itself: its columns and constraints. */
export const tableOf = (database: TestDatabase): Promise<Record<string, unknown>[]> =>
  database.query(`SELECT attname, format_type(atttypid, atttypmod) AS type, attnotnull, pg_get_expr(adbin, adrelid) AS fallback
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = '_prisma_migrations'::regclass AND attnum > 0
    UNION ALL SELECT conname, pg_get_constraintdef(oid), true, NULL FROM pg_constraint WHERE conrelid = '_prisma_migrations'::regclass AND contype = 'p'
    ORDER BY 1`)

/** Every object of the schema, one a line. */
export const catalogOf = ({ url }: TestDatabase): Promise<readonly string[]> =>
  withClient(url, (client) => describeCatalog(client, "public"))

function listOf({ dir, migrations, lockfile }: Folder): MigrationList {
  return {
    baseDir: dir,
    lockfile: { path: "migration_lock.toml", content: lockfile ?? null },
    shadowDbInitScript: "",
    migrationDirectories: migrations.map(({ name, text }) => ({
      path: name,
      migrationFile: { path: "migration.sql", content: { tag: "ok", value: text } },
    })),
  }
}

async function withEngine<T>({ url }: TestDatabase, work: (engine: Engine) => Promise<T>): Promise<T> {
  const engine = await openEngine({ url: parseDatabaseUrl(url) })
  return await work(engine).finally(() => engine.dispose())
}

async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(parseDatabaseUrl(url))
  return await work(client).finally(() => client.end())
}

const names = (states: readonly { readonly name: string }[]): string[] => states.map(({ name }) => name)

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error)

function find(folder: Folder, name: string) {
  const migration = folder.migrations.find((one) => one.name === name)
  if (migration === undefined) throw new Error(`there is no ${name}`)
  return migration
}
