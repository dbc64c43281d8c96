import { LockstepError } from "../errors.js"
import { createHistoryTable, historyTable, type RecordedRow, readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"
import type { DeployRequest } from "./request.js"

/**
 * Reads the history, and where there is none makes the table, and the schema that the URL names, as Prisma does.
 * With nothing to record, nothing is made.
 * Errors: L1103 the database is not empty, L1023 the role may not create them.
 */
export async function openHistory(client: Client, { url, folder }: DeployRequest): Promise<readonly RecordedRow[]> {
  const recorded = await readHistory(client, url.schema)
  if (recorded !== undefined || folder.migrations.length === 0) return recorded ?? []
  await refuseStrangers(client, url.schema)
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
    state: "nothing was touched.",
    next: `GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(user)}`,
    cause,
  })
}

/** Tables, views, sequences and enums that no extension owns. */
const strangers = `SELECT format('%I', name) AS name FROM (
    SELECT c.oid, 'pg_class'::regclass AS class, c.relname AS name, c.relnamespace AS namespace FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT t.oid, 'pg_type'::regclass, t.typname, t.typnamespace FROM pg_type t WHERE t.typtype = 'e'
  ) AS object
  WHERE namespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = object.oid AND d.classid = object.class AND d.deptype = 'e')
  ORDER BY name LIMIT 4`

async function refuseStrangers(client: Client, schema: string): Promise<void> {
  const { rows } = await client.query<{ name: string }>({ text: strangers, values: [schema] })
  if (rows.length === 0) return
  const names = rows.slice(0, 3).map(({ name }) => name)
  throw new LockstepError("L1103", `the database is not empty and has no migration history (Prisma's P3005)`, {
    hint: `The schema "${schema}" holds ${names.join(", ")}${rows.length > 3 ? " and more" : ""}.`,
    state: "nothing was touched.",
    next: "lockstep baseline   when the database already is what the migrations make; or point DATABASE_URL at the right database",
  })
}
