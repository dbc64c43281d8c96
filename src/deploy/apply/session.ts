import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import type { Statement } from "../../sql/parse.js"
import { find } from "../../sql/tree.js"
import type { DeployContext } from "../context.js"

interface Session extends Pick<DeployContext, "client"> {
  readonly request: Pick<DeployContext["request"], "url" | "settings">
}

/** Sessions that the server checks for a vanished client. */
const checked = new WeakSet<Client>()

/** How often the server checks whether the deployer still exists, in milliseconds. */
const checkEveryMs = 1000

/**
 * Gives the connection the settings that every migration starts with. The server is to end a statement whose deployer
 * was killed: it can since PostgreSQL 14, on Linux; a value that the URL or the role sets is kept.
 * Source: PostgreSQL's documentation, client_connection_check_interval.
 */
export async function prepareSession(session: Session): Promise<void> {
  const { client } = session
  const { rows } = await client.query<{ off: string | null }>(
    "SELECT current_setting('client_connection_check_interval', true) = '0' AS off",
  )
  if (rows[0]?.off === "t") {
    await client.query(checkInterval).then(
      () => checked.add(client),
      () => undefined,
    )
  }
  await client.query(freshSettings(session))
}

const checkInterval = `SET client_connection_check_interval=${checkEveryMs}`

/** Removes what a migration left in the session besides settings, as DISCARD ALL does, but for the migration lock. */
export const discards = ["CLOSE ALL", "DEALLOCATE ALL", "UNLISTEN *", "DISCARD TEMP", "DISCARD SEQUENCES"]

/**
 * A migration's own DISCARD ALL, without its pg_advisory_unlock_all(): other deployers would take the lock while the
 * migration is recorded as begun. Source: PostgreSQL's documentation, DISCARD.
 */
export const discardAll = ["SET SESSION AUTHORIZATION DEFAULT", "RESET ALL", ...discards, "DISCARD PLANS"].join(";")

/** SQL for the settings that every migration starts with, whatever the one before has set; the search path is Prisma's. */
export const freshSettings = ({ client, request: { url, settings } }: Session): string =>
  "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;" +
  `SET search_path=${quoteIdentifier(url.schema)};SET lock_timeout=${settings.lockTimeout};` +
  (checked.has(client) ? `${checkInterval};` : "")

/** Whether the session has the lock_timeout of the deploy's settings: a migration that sets another one decides itself. */
export async function hasDefaultLockTimeout({ client, request: { settings } }: Session): Promise<boolean> {
  const { rows } = await client.query<{ ms: string }>(
    "SELECT setting AS ms FROM pg_catalog.pg_settings WHERE name='lock_timeout'",
  )
  return Number(rows[0]?.ms) === settings.lockTimeout
}

/**
 * Does work under another lock_timeout, given as an SQL expression, and restores the session's, which the migration may
 * have set. The work must end outside of a transaction; where it throws, nothing is restored.
 */
export async function withLockTimeout<T>(client: Client, timeout: string, work: () => Promise<T>): Promise<T> {
  const { rows } = await client.query<{ before: string }>("SELECT pg_catalog.current_setting('lock_timeout') AS before")
  await client.query(setLockTimeout(timeout))
  const result = await work()
  await client.query(setLockTimeout(`'${rows[0]?.before}'`))
  return result
}

/** SQL that sets the session's lock_timeout to the value of an SQL expression. */
export const setLockTimeout = (timeout: string): string =>
  `SELECT pg_catalog.set_config('lock_timeout', ${timeout}, false)`

/**
 * The statements that only set something for the rest of the session: a migration that is resumed needs them again,
 * because its first session is gone.
 */
export const settingStatements = (statements: readonly Statement[]): readonly string[] =>
  statements.filter(isSetting).map(({ text }) => text)

function isSetting({ node }: Statement): boolean {
  if ("VariableSetStmt" in node) return node.VariableSetStmt.is_local !== true
  if (!("SelectStmt" in node)) return false
  // As pg_dump writes it: SELECT pg_catalog.set_config('search_path', '', false).
  for (const { funcname } of find(node, "FuncCall")) {
    const last = funcname?.at(-1)
    if (last !== undefined && "String" in last && last.String.sval === "set_config") return true
  }
  return false
}
