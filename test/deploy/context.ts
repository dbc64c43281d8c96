import { onTestFinished } from "vitest"
import { prepare } from "../../src/deploy/apply/prepare.js"
import { prepareSession } from "../../src/deploy/apply/session.js"
import { takeLock } from "../../src/deploy/connect/lock.js"
import { type DeployContext, type DeploySettings, defaultSettings, newProgress } from "../../src/deploy/context.js"
import type { DeployEvent } from "../../src/deploy/events.js"
import { checksumOf, type FolderMigration } from "../../src/history/folder.js"
import { createHistoryTable } from "../../src/history/recorded.js"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { parseScript, type Statement } from "../../src/sql/parse.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"

/** A migration as a folder holds it. */
export const migration = (name: string, text: string): FolderMigration => ({
  name,
  path: `${process.cwd()}/migrations/${name}/migration.sql`,
  text,
  checksum: checksumOf(text),
})

/** A migration that is ready to be applied. */
export const prepared = (name: string, text: string) => prepare(migration(name, text))

/** The statements of a script. */
export async function statementsOf(sql: string): Promise<readonly Statement[]> {
  const script = await parseScript(sql)
  if (script.kind !== "script") throw new Error(script.message)
  return script.statements
}

/** A script's one statement. */
export async function statementOf(sql: string): Promise<Statement> {
  const [statement] = await statementsOf(sql)
  if (statement === undefined) throw new Error(`no statement: ${sql}`)
  return statement
}

/** A deploy at work, and what it reported. */
export interface TestDeploy extends DeployContext {
  readonly database: TestDatabase
  readonly events: readonly DeployEvent[]
  readonly stop: AbortController
  /** The history's rows in the order of their names. */
  readonly rows: () => Promise<Record<string, unknown>[]>
}

/** A deploy that holds the migration lock of a new database with an empty history, after some SQL. */
export async function testDeploy(sql = "", settings: Partial<DeploySettings> = {}): Promise<TestDeploy> {
  const database = await createDatabase()
  await database.query(`${createHistoryTable("public")};${sql}`)
  const events: DeployEvent[] = []
  const stop = new AbortController()
  const url = parseDatabaseUrl(database.url)
  const client = await connect(url)
  onTestFinished(() => client.end())
  const request = {
    url,
    folder: { dir: "migrations", migrations: [], digest: "", lockfile: undefined, remarks: [] },
    settings: { ...defaultSettings, ...settings },
    applicationName: "lockstep tests",
    signal: stop.signal,
    onEvent: (event: DeployEvent) => void events.push(event),
  }
  const context: DeployContext = { client, request, progress: newProgress() }
  await takeLock(client, request)
  await prepareSession(context)
  const rows = () =>
    database.query(
      "SELECT migration_name AS name, finished_at IS NOT NULL AS finished, applied_steps_count AS steps FROM _prisma_migrations ORDER BY 1",
    )
  return { ...context, database, events, stop, rows }
}
