import { LockstepError } from "../../errors.js"
import {
  createHistoryTable,
  findExistingObjects,
  historyTable,
  type RecordedRow,
  readHistory,
} from "../../history/recorded.js"
import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import type { DeployRequest } from "../context.js"
import { untouched } from "../failure.js"

/**
 * Reads the history; where there is none, creates the table, and the schema that the URL names, as Prisma does. With
 * nothing to record, nothing is created.
 * Errors: L1103 the database is not empty, L1023 the role may not create them.
 */
export async function openHistory(client: Client, { url, folder }: DeployRequest): Promise<readonly RecordedRow[]> {
  const recorded = await readHistory(client, url.schema)
  if (recorded !== undefined || folder.migrations.length === 0) return recorded ?? []
  await refuseExistingObjects(client, url.schema)
  try {
    const exists = await client.query({ text: "SELECT 1 FROM pg_namespace WHERE nspname = $1", values: [url.schema] })
    if (exists.rows.length === 0) await client.query(`CREATE SCHEMA ${quoteIdentifier(url.schema)}`)
    await client.query(createHistoryTable(url.schema))
    return []
  } catch (cause) {
    throw sqlstateOf(cause) === "42501" ? mayNotCreate(url, cause) : cause
  }
}

function mayNotCreate({ user, schema }: DeployRequest["url"], cause: unknown): LockstepError {
  return new LockstepError("L1023", `the role "${user}" may not create ${historyTable(schema)}`, {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : undefined,
    state: untouched,
    next: `GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(user)}`,
    cause,
  })
}

async function refuseExistingObjects(client: Client, schema: string): Promise<void> {
  const existingObjects = await findExistingObjects(client, schema)
  if (existingObjects === undefined) return
  throw new LockstepError("L1103", `the database is not empty and has no migration history (Prisma's P3005)`, {
    hint: `The schema "${schema}" holds ${existingObjects}.`,
    state: untouched,
    next: "`lockstep baseline`   when the database already is what the migrations make; or point DATABASE_URL at the right database",
  })
}
