import { type Folder, readFolder } from "../../src/history/folder.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import type { SchemaFiles } from "../../src/project/schema.js"
import { type TakeLock, waitForLock } from "../../src/schema-engine/adapter.js"
import { historyList, openEngine } from "../../src/schema-engine/engine.js"
import { stepsOf } from "../../src/scratch/replay.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

/** A database, a folder of migrations and a schema, as the engine functions take them. */
export interface Place {
  readonly database: TestDatabase
  readonly project: TestProject
  readonly setting: { readonly url: ReturnType<typeof parseDatabaseUrl>; readonly takeLock: TakeLock }
  /** The folder as it is now. */
  folder(): Folder
  /** Applies what is pending. */
  apply(): Promise<void>
}

/** Makes one, with the migrations that are given. `parameters` go into the URL, such as "schema=shop". */
export async function createPlace(migrations: Readonly<Record<string, string>> = {}, parameters = ""): Promise<Place> {
  const database = await createDatabase()
  const project = createProject({ migrations })
  const url = parseDatabaseUrl(parameters ? `${database.url}?${parameters}` : database.url)
  const folder = (): Folder => readFolder(project.migrationsDir)
  const apply = async (): Promise<void> => {
    const engine = await openEngine({ url })
    const migrationsList = historyList(project.migrationsDir, stepsOf(folder().migrations))
    const filters = { externalTables: [], externalEnums: [] }
    await engine.raw((each) => each.applyMigrations({ migrationsList, filters })).finally(() => engine.dispose())
  }
  return { database, project, setting: { url, takeLock: waitForLock }, folder, apply }
}

/** A Prisma schema of one file with these models. */
export function schemaOf(...models: readonly string[]): SchemaFiles {
  const datasource = 'datasource db {\n  provider = "postgresql"\n}\n'
  return [{ path: "prisma/schema.prisma", content: [datasource, ...models].join("\n") }]
}
