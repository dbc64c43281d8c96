import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"

/**
 * Empties the configured shadow database, over a connection to it: drops every schema that is not PostgreSQL's own, and
 * creates `public` again. Errors: L1404 its role may not, L1405 it is the main database, which that would destroy.
 */
export async function emptyConfigured(
  client: Client,
  configured: DatabaseUrl,
  main: DatabaseUrl | undefined,
): Promise<void> {
  if (main) await refuseSameDatabase(main, client)
  const { rows } = await client.query<{ nspname: string }>(
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'",
  )
  const drops = rows.map(({ nspname }) => `DROP SCHEMA ${quoteIdentifier(nspname)} CASCADE;`)
  await client.query(`${drops.join("\n")}\nCREATE SCHEMA public`).catch((cause: unknown) => {
    throw sqlstateOf(cause) === "42501" ? notEmptied(configured.user, cause) : cause
  })
}

/** Up to PostgreSQL 14 a database's schema `public` is not its owner's. Source: PostgreSQL's release notes, 15. */
const notEmptied = (role: string, cause: unknown): LockstepError =>
  new LockstepError("L1404", "the configured shadow database cannot be emptied", {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : String(cause),
    state: "nothing was touched.",
    next: `in that database, as a superuser: ALTER SCHEMA public OWNER TO ${quoteIdentifier(role)}; or name a database whose contents the role owns`,
    cause,
  })

/** Two connections are to one database when their servers started at the same microsecond and the OIDs agree. */
const identityQuery = `SELECT pg_postmaster_start_time()::text || oid AS identity
  FROM pg_database WHERE datname = current_database()`

async function refuseSameDatabase(main: DatabaseUrl, configured: Client): Promise<void> {
  const client = await connect(main).catch(() => undefined)
  if (!client) return
  try {
    const answers = await Promise.all(
      [client, configured].map((each) => each.query<{ identity: string }>(identityQuery)),
    )
    const [one, other] = answers.map(({ rows }) => rows[0]?.identity)
    if (one !== other) return
  } finally {
    await client.end()
  }
  throw new LockstepError("L1405", "the configured shadow database is the main database", {
    state: "nothing was touched.",
    next: "name another, empty database in prisma.config's datasource.shadowDatabaseUrl, or leave it out",
  })
}
