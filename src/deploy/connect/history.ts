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
import { quoteIdentifier, sqlstateOf } from "../../postgres/sqlstate.js"
import type { Prepared } from "../apply/prepare.js"
import type { DeployRequest, Ledger } from "../context.js"
import type { ConnectionLost } from "../failure.js"

/**
 * Reads the history, and where there is none makes the table, and the schema that the URL names, as Prisma does.
 * With nothing to record, nothing is made.
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
    state: "nothing was touched.",
    next: `GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${quoteIdentifier(user)}`,
    cause,
  })
}

async function refuseExistingObjects(client: Client, schema: string): Promise<void> {
  const existingObjects = await findExistingObjects(client, schema)
  if (existingObjects === undefined) return
  throw new LockstepError("L1103", `the database is not empty and has no migration history (Prisma's P3005)`, {
    hint: `The schema "${schema}" holds ${existingObjects}.`,
    state: "nothing was touched.",
    next: "lockstep baseline   when the database already is what the migrations make; or point DATABASE_URL at the right database",
  })
}

/**
 * What this deploy was told as committed has to be there after a fail-over. Where it is not, the server is another one,
 * or a standby that lagged behind: whether that is to be migrated is not for a program to decide. Errors: L1032.
 */
export function refuseLostCommits(recorded: readonly RecordedRow[], ledger: Ledger): void {
  const kept = new Set(recorded.filter(isApplied).map(({ name }) => name))
  const gone = ledger.applied.filter((name) => !kept.has(name))
  if (gone.length === 0) return
  ledger.applied.splice(0, Infinity, ...ledger.applied.filter((name) => kept.has(name)))
  const [first] = gone
  const what = gone.length === 1 ? first : `${gone.length} migrations (the first is ${first})`
  throw new LockstepError("L1032", `the server had confirmed ${what}, and after the connection was lost it is gone`, {
    hint: `${gone.join("\n")}\nThe primary has failed over to a standby that lagged behind, or this is another server.`,
    state: "what is listed above is not in this database any more.",
    next: "make sure that this is the primary, and that what other clients wrote is there; then run the same deploy again, which applies them again",
  })
}

/**
 * L1012: transaction_timeout ends the session, and the same transaction would take as long again. `unknown`: what had
 * been sent; by now the history has said which of it is applied.
 */
export function timedOut(
  loss: ConnectionLost,
  unknown: readonly Prepared[],
  recorded: readonly RecordedRow[],
): LockstepError {
  const rows = (wanted: (row: RecordedRow) => boolean) => new Set(recorded.filter(wanted).map(({ name }) => name))
  const applied = rows(isApplied)
  const ended = unknown.find(({ migration }) => !applied.has(migration.name))
  const name = ended?.migration.name ?? "a statement"
  const stepwise = rows(hasFailed).has(name)
  return new LockstepError("L1012", `transaction_timeout ended the session while ${name} ran`, {
    file: ended?.file,
    sqlstate: sqlstateOf(loss.cause),
    state: stepwise
      ? `${name} is applied in part, and its row in the history holds how far.`
      : `nothing of ${name} was applied or recorded.`,
    next: `raise transaction_timeout for this role or database (ALTER ROLE … SET transaction_timeout = …), then ${
      stepwise ? "lockstep deploy --resume" : "run the same deploy again"
    }`,
    cause: loss,
  })
}
