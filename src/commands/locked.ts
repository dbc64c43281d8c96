import { ConnectionLost, lostOr } from "../deploy/failure.js"
import { takeLock } from "../deploy/lock.js"
import { closeDatabase, openDatabase } from "../deploy/open.js"
import { type Connecting, defaultSettings } from "../deploy/request.js"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import type { Target } from "../project/database-url.js"
import { deployReporter } from "../report/deploy.js"
import type { Output } from "../report/output.js"

/** Does a piece of work on the history under the migration lock. Errors: L1016, L1020 to L1022, L12xx. */
export async function withLockedDatabase(
  target: Target,
  signal: AbortSignal,
  output: Output,
  work: (client: Client) => Promise<void>,
): Promise<void> {
  const onEvent = deployReporter({ ...output, object: () => undefined })
  const request: Connecting = {
    url: target.url,
    settings: defaultSettings,
    applicationName: "lockstep",
    signal,
    onEvent,
  }
  const client = await openDatabase(request)
  try {
    await takeLock(client, request)
    await work(client)
  } catch (error) {
    const reason = lostOr(client, error)
    throw reason instanceof ConnectionLost ? lost(reason) : reason
  } finally {
    await closeDatabase(client)
  }
}

const lost = (error: ConnectionLost): LockstepError =>
  new LockstepError("L1016", `the connection was lost: ${error.message}`, {
    state: "what became of the last statement is not known here: the history decides.",
    next: "pnpm db:status shows what is recorded; then run the same command again where it is needed",
    cause: error,
  })
