import { LockstepError } from "../../errors.js"
import { hasFailed, isApplied, type RecordedRow } from "../../history/recorded.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import type { Prepared } from "../apply/prepare.js"
import type { Progress } from "../context.js"
import type { ConnectionLost } from "../failure.js"

/**
 * What the server confirmed as committed must still be recorded after a lost connection. Where it is not, this is
 * another server, or a standby that lagged behind: whether to migrate that, a person has to decide. Errors: L1032.
 */
export function refuseLostCommits(recorded: readonly RecordedRow[], progress: Progress): void {
  const kept = new Set(recorded.filter(isApplied).map(({ name }) => name))
  const gone = progress.applied.filter((name) => !kept.has(name))
  if (gone.length === 0) return
  progress.applied.splice(0, Infinity, ...progress.applied.filter((name) => kept.has(name)))
  const [first] = gone
  const what = gone.length === 1 ? first : `${gone.length} migrations (the first is ${first})`
  throw new LockstepError(
    "L1032",
    `the server had confirmed ${what}, which its history no longer has after a lost connection`,
    {
      hint: `${gone.join("\n")}\nThe primary has failed over to a standby that lagged behind, or this is another server.`,
      state: "what is listed above is no longer in this database.",
      next: "make sure that this is the primary, and that it has what other clients wrote; then run the same deploy again, which applies them again",
    },
  )
}

/**
 * L1012: transaction_timeout ends the session, and the same transaction would take as long again. `sent`: what had
 * no answer when the connection was lost.
 */
export function transactionTimedOut(
  loss: ConnectionLost,
  sent: readonly Prepared[],
  recorded: readonly RecordedRow[],
): LockstepError {
  const rows = (wanted: (row: RecordedRow) => boolean) => new Set(recorded.filter(wanted).map(({ name }) => name))
  const applied = rows(isApplied)
  const ended = sent.find(({ migration }) => !applied.has(migration.name))
  const name = ended?.migration.name ?? "a statement"
  const stepwise = rows(hasFailed).has(name)
  return new LockstepError("L1012", `transaction_timeout ended the session while ${name} ran`, {
    file: ended?.file,
    sqlstate: sqlstateOf(loss.cause),
    state: stepwise
      ? `${name} is applied in part; its row in the history counts the statements.`
      : `nothing of ${name} was applied or recorded.`,
    next: `raise transaction_timeout for this role or database (ALTER ROLE … SET transaction_timeout = …), then ${
      stepwise ? "`lockstep deploy --resume`" : "run the same deploy again"
    }`,
    cause: loss,
  })
}
