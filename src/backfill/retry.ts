import pg from "pg"
import { lockHolders } from "../deploy/apply/retry.js"
import { lostOr } from "../deploy/failure.js"
import { backoffMs, interrupted, pause } from "../deploy/interrupt.js"
import { isRetryable } from "../postgres/sqlstate.js"
import type { BackfillContext } from "./context.js"
import { doneSoFar, type Sent, statementFailed } from "./failure.js"
import type { Backfill } from "./file.js"
import type { Key } from "./key.js"
import { type Recorded, recordError } from "./progress.js"

/** PostgreSQL refused the statement of a batch. */
export class StatementRefused extends Error {
  override readonly name = "StatementRefused"
  constructor(
    readonly error: pg.DatabaseError,
    readonly sent: Sent,
  ) {
    super(error.message, { cause: error })
  }
}

/** What is tried, and what is done before it is tried again. */
interface Attempt<T> {
  readonly work: () => Promise<T>
  readonly onRefused: () => void
}

/** What is committed and recorded before. */
type Progress = Pick<Recorded, "rows" | "walked" | "batches">

/** SQLSTATE query_canceled: a statement_timeout, which a smaller batch may not reach. */
const canceled = "57014"

/**
 * Does work that is a transaction of its own, again after a lock timeout, a deadlock, a serialization failure or a
 * statement_timeout: it was rolled back as a whole.
 * Errors: L1001 interrupted, L1014 a lock, L2107 anything else that PostgreSQL refuses; ConnectionLost.
 */
export async function retrying<T>(
  { client, request }: BackfillContext,
  { backfill, key, progress }: { readonly backfill: Backfill; readonly key: Key; readonly progress: Progress },
  { work, onRefused }: Attempt<T>,
): Promise<T> {
  const { settings, signal, onEvent, url } = request
  const { name } = backfill
  const done = doneSoFar(progress)
  for (let attempt = 0; ; attempt++) {
    try {
      return await work()
    } catch (reason) {
      const error = reason instanceof StatementRefused ? reason.error : lostOr(client, reason)
      if (!(error instanceof pg.DatabaseError)) throw error
      await client.query("ROLLBACK")
      if (signal.aborted) throw interrupted(done)
      const holders = error.code === "55P03" ? await holdersOf(client, key) : []
      if ((!isRetryable(error.code) && error.code !== canceled) || attempt >= settings.retries) {
        await recordError(client, { schema: url.schema, name }, error.message)
        onEvent({ event: "failed", name, ...progress })
        const sent = reason instanceof StatementRefused ? reason.sent : undefined
        throw statementFailed(backfill, error, { done, sent, holders })
      }
      onRefused()
      const held = holders.length > 0 ? `; the table is locked by ${holders.join("; ")}` : ""
      const delayMs = backoffMs(attempt)
      onEvent({
        ...{ event: "retry", name, attempt: attempt + 1, of: settings.retries, delayMs },
        reason: `${error.message} (${error.code})${held}`,
      })
      await pause(delayMs, signal, done)
    }
  }
}

/** Who has locked the table itself; of locks on rows the server shows none. */
async function holdersOf(client: BackfillContext["client"], { table }: Key): Promise<readonly string[]> {
  const found = await lockHolders(client, [table.replace(/^ONLY /, "")]).catch(() => [])
  return found.map(({ holder }) => holder)
}
