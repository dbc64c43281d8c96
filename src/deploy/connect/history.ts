import { LockstepError } from "../../errors.js"
import {
  createHistoryTable,
  findExistingObjects,
  hasFailed,
  historyTable,
  isApplied,
  type RecordedRow,
  readHistory,
} from "../../history/recorded.js"
import type { Client } from "../../postgres/connect.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import type { Prepared } from "../apply/prepare.js"
import type { DeployRequest, Progress } from "../context.js"
import { type ConnectionLost, untouched } from "../failure.js"

/**
 * Reads the history; where there is none, creates the table, and the schema that the URL names, as Prisma does. With
 * nothing to record, nothing is created.
 * Errors: L1103 the database is not empty, L1023 the role may not create them.
 */
export async function openHistory(client: Client, { url, folder }: DeployRequest): Promise<readonly RecordedRow[]> {
  const recorded = await readHistory(client, url.schema)
  if (recorded !== undefined || folder.migrations.length === 0) return recorded ?? []
  await refuseExistingObjects(client, url.schema)
  try {
    const exists = await client.query({ text: "SELECT 1 FROM pg_namespace WHERE nspname = $1", values: [url.schema] })
    if (exists.rows.length === 0) await client.query(`CREATE SCHEMA ${quoteIdentifier(url.schema)}`)
    await client.query(createHistoryTable(url.schema))
    return []
  } catch (cause) {
    throw sqlstateOf(cause) === "42501" ? mayNotCreate(url, cause) : cause
  }
}

function mayNotCreate({ user, schema }: DeployRequest["url"], cause: unknown): LockstepError {
  return new LockstepError("L1023", `the role "${user}" may not create ${historyTable(schema)}`, {
    sqlstate: sqlstateOf(cause),
    hint: cause instanceof Error ? cause.message : undefined,
    state: untouched,
    next: `GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(user)}`,
    cause,
  })
}

async function refuseExistingObjects(client: Client, schema: string): Promise<void> {
  const existingObjects = await findExistingObjects(client, schema)
  if (existingObjects === undefined) return
  throw new LockstepError("L1103", `the database is not empty and has no migration history (Prisma's P3005)`, {
    hint: `The schema "${schema}" holds ${existingObjects}.`,
    state: untouched,
    next: "`lockstep baseline`   when the database already is what the migrations make; or point DATABASE_URL at the right database",
  })
}

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
