import { type Comparison, compare } from "../../history/compare.js"
import type { Folder } from "../../history/folder.js"
import { isMigrationLock } from "../../history/lock.js"
import { findExistingObjects, readHistory } from "../../history/recorded.js"
import { type Client, connect } from "../../postgres/connect.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import type { DatabaseUrl } from "../../postgres/url.js"
import { defaultSettings } from "../context.js"
import { closeDatabase } from "./database.js"
import { historyLocked } from "./history.js"
import { isPooled, refusePooler } from "./pooler.js"

/** Where to read. */
export interface ReadRequest {
  readonly url: DatabaseUrl
  /** Shown as application_name. */
  readonly applicationName: string
  /** 1: where a second connection is needed, NeedsSecondConnection is thrown. */
  readonly connections?: 1 | 2 | undefined
}

/** How long to wait for a table that another session has locked against reading. */
const lockTimeoutMs = 2000

/**
 * Does work that only reads. A pooler that a deploy refuses is refused here as well, because the answer could come from
 * another session. Errors: L1014 another session holds a lock on the history, L1021 a transaction pooler, L12xx.
 */
export async function readDatabase<T>(request: ReadRequest, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await connect(request.url, { applicationName: request.applicationName })
  try {
    const { rows } = await client.query<{ pid: string }>({
      text: "SELECT pg_backend_pid() AS pid, set_config('lock_timeout', $1, false)",
      values: [String(lockTimeoutMs)],
    })
    const pid = Number(rows[0]?.pid)
    if (isPooled(client, pid)) await refusePooler(client, pid, { ...request, settings: defaultSettings })
    return await work(client)
  } catch (error) {
    throw sqlstateOf(error) === "55P03"
      ? await historyLocked(client, request.url, { waitedMs: lockTimeoutMs, cause: error })
      : error
  } finally {
    await closeDatabase(client)
  }
}

/** The history beside the folder. */
interface ReadComparison {
  readonly comparison: Comparison
  readonly history: "exists" | "none"
  /** What a database without a history holds, in words; undefined where it is empty. */
  readonly existingObjects: string | undefined
}

/** Reads the history and compares it with the folder. */
export async function readComparison(
  client: Client,
  { url, folder }: { readonly url: DatabaseUrl; readonly folder: Folder },
): Promise<ReadComparison> {
  const recorded = await readHistory(client, url.schema)
  return {
    comparison: compare(folder.migrations, recorded ?? []),
    history: recorded === undefined ? "none" : "exists",
    existingObjects: recorded === undefined ? await findExistingObjects(client, url.schema) : undefined,
  }
}

/** Whether another session holds the database's migration lock. Every role may see that. */
export async function isDeploying(client: Client): Promise<boolean> {
  const { rows } = await client.query(`SELECT FROM pg_catalog.pg_locks
    WHERE ${isMigrationLock} AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`)
  return rows.length > 0
}
