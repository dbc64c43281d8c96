import { type BackfillSettings, defaultBackfillSettings } from "../../src/backfill/context.js"
import type { BackfillEvent } from "../../src/backfill/events.js"
import { readBackfills } from "../../src/backfill/file.js"
import { runBackfills } from "../../src/backfill/run.js"
import { backfillsFolder, readFolder } from "../../src/history/folder.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

/** A database with some SQL, a project with backfills, and a run of them. */
export interface TestRuns {
  readonly database: TestDatabase
  readonly project: TestProject
  /** Writes a backfill. */
  readonly write: (name: string, sql: string) => void
  readonly run: (settings?: Partial<BackfillSettings>, options?: RunOptions) => ReturnType<typeof runBackfills>
  readonly events: BackfillEvent[]
  /** What is recorded. */
  readonly recorded: () => Promise<Record<string, unknown>[]>
}

export interface RunOptions {
  readonly url?: string
  readonly signal?: AbortSignal
  readonly onEvent?: (event: BackfillEvent) => void
}

export async function openRuns(sql: string, backfills: Readonly<Record<string, string>>): Promise<TestRuns> {
  const database = await createDatabase()
  await database.query(sql)
  const project = createProject()
  const write = (name: string, text: string) => project.write(`prisma/backfills/${name}.sql`, text)
  for (const [name, text] of Object.entries(backfills)) write(name, text)
  const events: BackfillEvent[] = []
  return {
    ...{ database, project, write, events },
    run: (settings = {}, { url = database.url, signal = new AbortController().signal, onEvent } = {}) =>
      runBackfills({
        url: parseDatabaseUrl(url),
        // How many rows a batch has is then as it is asked for, on any machine.
        settings: { ...defaultBackfillSettings, batchTime: 600_000, ...settings },
        applicationName: "lockstep backfill",
        ...{ signal, folder: readFolder(project.migrationsDir) },
        backfills: readBackfills(backfillsFolder(project.migrationsDir)),
        onEvent: (event) => {
          events.push(event)
          onEvent?.(event)
        },
      }),
    recorded: () =>
      database.query(
        `SELECT name, last_key, upper_key, rows::int, walked::int, batches::int, finished_at IS NOT NULL AS finished, error FROM _lockstep.backfills ORDER BY name`,
      ),
  }
}
