import { onTestFinished } from "vitest"
import { readHistory } from "../../src/history/recorded.js"
import { type Client, connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase } from "../support/postgres.js"

/** A connection to a database of the test's own. */
export async function open(): Promise<Client> {
  const client = await connect(parseDatabaseUrl((await createDatabase()).url))
  onTestFinished(() => client.end())
  return client
}

/** SQL that writes rows of the history. */
export const insert = (values: string) =>
  `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at, finished_at, rolled_back_at, logs) VALUES ${values}`
/** The values of a row of a migration that failed. */
export const failed = "('1', 'c', 'one', '2026-01-01 12:00+02', NULL, NULL, 'it failed')"
/** What the history holds. */
export const names = async (client: Client) =>
  (await readHistory(client, "public"))?.map(({ name, finishedAt, rolledBackAt }) => ({
    name,
    finished: finishedAt !== null,
    rolledBack: rolledBackAt !== null,
  }))
