import { ConnectionLost, lostOr } from "../deploy/failure.js"
import { takeLock } from "../deploy/lock.js"
import { closeDatabase, inspect, openDatabase } from "../deploy/open.js"
import { type Connecting, type DeploySettings, defaultSettings } from "../deploy/request.js"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import type { Target } from "../project/database-url.js"
import { deployReporter } from "../report/deploy.js"
import type { Output } from "../report/output.js"
import type { TakeLock } from "../schema-engine/lock.js"
import { searchPath } from "../scratch/script.js"

/** What it takes to wait for the migration lock of a database. */
export interface Waiting {
  readonly target: Pick<Target, "url">
  readonly signal: AbortSignal
  readonly output: Output
  readonly settings?: DeploySettings
}

/** Does a piece of work under the migration lock. Errors: L1016, L1020 to L1022, L12xx. */
export async function withLockedDatabase<T>(waiting: Waiting, work: (client: Client) => Promise<T>): Promise<T> {
  const request = connecting(waiting)
  const client = await openDatabase(request)
  try {
    await takeLock(client, request)
    return await work(client)
  } catch (error) {
    throw lostAs(client, error)
  } finally {
    await closeDatabase(client)
  }
}

/**
 * Takes the migration lock on a connection of Prisma's schema engine, where a deploy could hold it, too.
 * Errors: L1016, L1020 to L1022.
 */
export function lockFor(waiting: Waiting): TakeLock {
  const request = connecting(waiting)
  return async (client) => {
    try {
      await inspect(client, request)
      await takeLock(client, request)
      // Behind a pooler the session was reset.
      await client.query(searchPath(request.url.schema))
    } catch (error) {
      throw lostAs(client, error)
    }
  }
}

const connecting = ({ target, signal, output, settings = defaultSettings }: Waiting): Connecting => ({
  url: target.url,
  settings,
  applicationName: "lockstep",
  signal,
  onEvent: deployReporter({ ...output, object: () => undefined }),
})

function lostAs(client: Client, error: unknown): unknown {
  const reason = lostOr(client, error)
  return reason instanceof ConnectionLost ? lost(reason) : reason
}

const lost = (error: ConnectionLost): LockstepError =>
  new LockstepError("L1016", `the connection was lost: ${error.message}`, {
    state: "what became of the last statement is not known here: the history decides.",
    next: "pnpm db:status shows what is recorded; then run the same command again where it is needed",
    cause: error,
  })
