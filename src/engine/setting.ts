import type { Folder } from "../history/folder.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type Engine, type External, openEngine, type SchemaFiles } from "./engine.js"
import { explain } from "./engine-error.js"
import type { Step } from "./history-list.js"
import type { TakeLock } from "./lock.js"

/** Where an engine function works: the database, and what it takes to replay the history beside it. */
export interface Setting {
  readonly url: DatabaseUrl
  readonly shadowUrl?: DatabaseUrl | undefined
  readonly external?: External | undefined
  /** How the migration lock is taken; what changes the database needs it. */
  readonly takeLock?: TakeLock | undefined
  /** SQL that a new shadow database needs before the first migration (prisma.config's migrations.initShadowDb). */
  readonly initShadowDb?: string | undefined
}

/** The migrations of a folder, in order. */
export const stepsOf = (folder: Folder): readonly Step[] =>
  folder.migrations.map((migration) => ({ name: migration.name, sql: migration.text }))

/** Opens the engine, does the work, and closes it whatever happens; failures come out in Lockstep's words. */
export async function withEngine<T>(
  setting: Setting,
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
