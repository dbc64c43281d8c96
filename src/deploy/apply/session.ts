import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/sqlstate.js"
import type { Statement } from "../../sql/parse.js"
import { find } from "../../sql/tree.js"
import type { DeployRequest } from "../context.js"

const watchful = new WeakSet<Client>()

/** How soon the server notices that a deployer is gone, in milliseconds. */
const watchEveryMs = 1000

/**
 * Has the server end a statement whose deployer is gone: killed, or its pod with it. It can since PostgreSQL 14, on
 * Linux; a value of the URL's or the role's own stays. Source: PostgreSQL's documentation, client_connection_check_interval.
 */
export async function endWithDeployer(client: Client): Promise<void> {
  const { rows } = await client.query<{ off: string | null }>(
    "SELECT current_setting('client_connection_check_interval', true) = '0' AS off",
  )
  if (rows[0]?.off !== "t") return
  await client.query(watching).then(
    () => watchful.add(client),
    () => undefined,
  )
}

const watching = `SET client_connection_check_interval=${watchEveryMs}`

/** Removes what a migration left in the session besides settings, as DISCARD ALL does, but for the migration lock. */
export const discards = ["CLOSE ALL", "DEALLOCATE ALL", "UNLISTEN *", "DISCARD TEMP", "DISCARD SEQUENCES"]

/** The settings that every migration finds, whatever the one before has set; the search path is Prisma's. */
export const freshSettings = (client: Client, { url, settings }: Pick<DeployRequest, "url" | "settings">): string =>
  "RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;" +
  `SET search_path=${quoteIdentifier(url.schema)};SET lock_timeout=${settings.lockTimeout};` +
  (watchful.has(client) ? `${watching};` : "")

/**
 * The statements that only set something for the rest of the session: a migration that is gone on with needs them
 * again, because its first session is gone.
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

const known = new WeakMap<readonly Statement[], boolean>()

/** A migration that says itself how long to wait for locks is left to it. Asked for each statement, looked for once. */
export function setsLockTimeout(statements: readonly Statement[]): boolean {
  const sets =
    known.get(statements) ??
    statements.some(({ node }) => "VariableSetStmt" in node && node.VariableSetStmt.name === "lock_timeout")
  known.set(statements, sets)
  return sets
}
