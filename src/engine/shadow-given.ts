import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"

/** Two connections are to one database when the servers started at the same microsecond and the OIDs agree. */
const identity = `SELECT pg_postmaster_start_time()::text || oid AS identity
  FROM pg_database WHERE datname = current_database()`

/** Errors: L1405 the configured shadow database is the main one: replaying the history there would destroy it. */
export async function refuseSameDatabase(main: DatabaseUrl, shadow: Client): Promise<void> {
  const client = await connect(main).catch(() => undefined)
  if (!client) return
  try {
    const answers = await Promise.all([client, shadow].map((each) => each.query<{ identity: string }>(identity)))
    const [here, there] = answers.map(({ rows }) => rows[0]?.identity)
    if (here !== there) return
  } finally {
    await client.end()
  }
  throw new LockstepError("L1405", "the configured shadow database is the main database", {
    state: "nothing was touched.",
    next: "name another, empty database in prisma.config's datasource.shadowDatabaseUrl, or leave it out",
  })
}

/** Drops what an earlier replay left: every schema but the system's, then gives `public` back. */
export async function emptyDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ nspname: string }>(
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
  )
  const drops = rows.map(({ nspname }) => `DROP SCHEMA ${quoteIdentifier(nspname)} CASCADE;`)
  await client.query(`${drops.join("\n")}\nCREATE SCHEMA public`)
}
