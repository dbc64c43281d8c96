import { failedRow, type RowKey, stepsDone } from "../../history/rows.js"
import type { Client } from "../../postgres/connect.js"
import type { Statement } from "../../sql/parse.js"
import { lockHolder } from "../connect/lock.js"
import type { DeployRequest, Ledger } from "../context.js"
import type { Refusal } from "../failure.js"
import type { Doubt } from "../recover/interrupted-statement.js"
import { remainder } from "../recover/invalid-indexes.js"
import { failureLog, stepsLog } from "../recover/row-log.js"
import { type Prepared, statementsOf } from "./prepare.js"
import { freshSettings } from "./session.js"

/** A history row that is there already, and how to go on with it. */
export interface Resume {
  readonly id: string
  /** How many statements are done. */
  readonly steps: number
  readonly doubt: Doubt
  /** Asked for with --resume, or a deploy's own row after a lost connection, where nobody is there to look. */
  readonly by: "person" | "itself"
}

/** What a migration that is applied statement by statement works with. */
export interface Course {
  readonly client: Client
  /** Another one where a statement turns out to commit by itself. */
  prepared: Prepared
  readonly request: DeployRequest
  readonly ledger: Ledger
  /** Of its history row. */
  readonly id: string
  /** How many statements are counted as done in the row. */
  steps: number
}

/** In what state it leaves the database to stop here. */
export const stateAt = ({ prepared, steps }: Course): string =>
  `${steps} of ${prepared.statements.length} statements of ${prepared.migration.name} are applied, and the history holds its row.`

/** What to type after a migration stopped part-way. */
export const nextAfter = ({ prepared }: Course): string =>
  `mend the cause, then: lockstep deploy --resume   (or settle it by hand: lockstep resolve --rolled-back ${prepared.migration.name})`

/** SQL that counts a statement as done, for the same transaction. */
export const countingSql = (course: Course, { index }: Statement): string =>
  stepsDone(rowKey(course), index + 1, stepsLog(course.prepared.statements, index + 1))

/** Of the migration's history row. */
export const rowKey = ({ client, request, id }: Course): RowKey => ({
  pid: lockHolder(client),
  schema: request.url.schema,
  id,
})

/** Counts a statement that ran outside a transaction. */
export async function count(course: Course, statement: Statement): Promise<void> {
  await course.client.query(`BEGIN;${countingSql(course, statement)};COMMIT`)
  counted(course, statement)
}

/** Notes that a statement and its count are committed. */
export function counted(course: Course, { index }: Statement): void {
  course.steps = index + 1
  course.ledger.moves++
}

/** Records why a migration stopped, where Prisma records it, and says in what state that leaves the database. */
export async function recordFailure(
  { client, prepared, request, id, steps }: Course,
  statement: Statement,
  { code, message }: { readonly code?: string | undefined; readonly message: string },
): Promise<string> {
  const { name } = prepared.migration
  const logs = failureLog({ name, statement, of: prepared.statements }, { code, message, steps })
  await client.query(`${freshSettings(client, request)}${failedRow({ schema: request.url.schema, id }, logs)}`)
  const left = await remainder(client, statement)
  const number = statement.index + 1
  const applied =
    steps === 0 ? "none is applied" : steps === 1 ? "the first is applied" : `the first ${steps} are applied`
  const undone = steps < statement.index ? `, those from ${steps + 1} on were rolled back with it` : ""
  const reached = `statement ${number} of ${prepared.statements.length} of ${name} failed, ${applied}${undone}`
  const part = mayHaveCommitted(prepared, statement) ? " What it committed itself before that is applied." : ""
  return `${reached}, and the history holds the failed row.${part}${left ? ` ${left}` : ""}`
}

/** SQLSTATE invalid_transaction_termination. */
const mayNotCommitHere = "2D000"

/**
 * How to apply a migration after PostgreSQL refused a COMMIT within one of its statements: with that statement outside
 * of a transaction. What a procedure of an earlier migration does, the file does not say. Nothing of the refused
 * transaction is applied. Undefined after any other refusal, and where the statement was outside of one already.
 */
export async function withStatementOutside(
  prepared: Prepared,
  { error, statement: index }: Refusal,
  { onEvent }: DeployRequest,
): Promise<Prepared | undefined> {
  if (error.code !== mayNotCommitHere || prepared.class === "self-managed" || prepared.unparsed) return undefined
  const statements = prepared.statements.length > 0 ? prepared.statements : await statementsOf(prepared.sql)
  const refused = statements[index]
  if (refused === undefined || refused.endsTransaction) return undefined
  if (!("CallStmt" in refused.node) && !("DoStmt" in refused.node)) return undefined
  const [what] = refused.text.split("\n", 1)
  const text = `${prepared.file}:${refused.line}: ${what} commits by itself, so it runs outside of a transaction`
  onEvent({ event: "note", text })
  const outside: Statement = { ...refused, endsTransaction: true }
  return { ...prepared, class: "non-transactional", statements: statements.with(index, outside) }
}

/** Whether a statement may have committed a part of itself before it failed. */
export const mayHaveCommitted = (prepared: Prepared, { node, endsTransaction }: Statement): boolean =>
  endsTransaction || (prepared.class === "self-managed" && ("CallStmt" in node || "DoStmt" in node))
