import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/sqlstate.js"
import type { DeployRequest } from "./request.js"

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
