import { takeLock } from "../deploy/lock.js"
import { openDatabase } from "../deploy/open.js"
import { type Connecting, defaultSettings } from "../deploy/request.js"
import type { Client } from "../postgres/connect.js"
import type { Target } from "../project/database-url.js"
import { deployReporter } from "../report/deploy.js"
import type { Output } from "../report/output.js"

/** Does a piece of work on the history under the migration lock. Errors: L1020 to L1022, L12xx. */
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
  } finally {
    await client.end()
  }
}
