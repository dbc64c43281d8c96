import { lockHolder } from "../../history/lock.js"
import { failedRow, type RowKey, stepsDone } from "../../history/rows.js"
import type { Statement } from "../../sql/parse.js"
import type { DeployContext } from "../context.js"
import { leftBehind } from "../recover/invalid-indexes.js"
import { failureLog, stepsLog } from "../recover/resume.js"
import type { Prepared } from "./prepare.js"
import { mayHaveCommitted } from "./refused.js"
import { freshSettings } from "./session.js"

/** A migration that is being applied statement by statement. */
export interface StepwiseRun extends DeployContext {
  /** Another one where a statement turns out to commit by itself. */
  prepared: Prepared
  /** Of its history row. */
  readonly id: string
  /** How many statements the row counts as done. */
  steps: number
}

/** The database's state where the run stops here. */
export const stateAt = ({ prepared, steps }: StepwiseRun): string =>
  `${steps} of ${prepared.statements.length} statements of ${prepared.migration.name} are applied, and the history holds its row.`

/** The next command after the run stopped. */
export const nextAfter = ({ prepared }: StepwiseRun): string =>
  `fix the cause, then: \`lockstep deploy --resume\`   (or undo by hand what is applied, then: \`lockstep resolve --rolled-back ${prepared.migration.name}\`)`

/** The migration's history row. */
export const rowKey = ({ client, request, id }: StepwiseRun): RowKey => ({
  pid: lockHolder(client),
  schema: request.url.schema,
  id,
})

/** SQL that counts a statement as done, for the same transaction. */
export const countingSql = (run: StepwiseRun, { index }: Statement): string =>
  stepsDone(rowKey(run), index + 1, stepsLog(run.prepared.statements, index + 1))

/** What the history is written in, whatever default_transaction_read_only the migration has set. */
export const beginReadWrite = "BEGIN READ WRITE;"

/** Counts a statement that ran outside a transaction. */
export async function count(run: StepwiseRun, statement: Statement): Promise<void> {
  await run.client.query(`${beginReadWrite}${countingSql(run, statement)};COMMIT`)
  counted(run, statement)
}

/** Notes that a statement and its count are committed. */
export function counted(run: StepwiseRun, { index }: Statement): void {
  run.steps = index + 1
  run.progress.completed++
}

/** Records why the run stopped, where Prisma records it. Resolves to the database's state. */
export async function recordFailure(
  run: StepwiseRun,
  statement: Statement,
  error: { readonly code?: string | undefined; readonly message: string },
): Promise<string> {
  const { client, prepared, request, id, steps } = run
  const { name } = prepared.migration
  const { length } = prepared.statements
  const logs = failureLog({ name, statements: prepared.statements, failed: statement, steps }, error)
  const failed = failedRow({ schema: request.url.schema, id }, logs)
  await client.query(`${beginReadWrite}${freshSettings(run)}${failed};COMMIT`)
  const left = await leftBehind(client, statement)
  const applied =
    steps === 0 ? "none is applied" : steps === 1 ? "the first is applied" : `the first ${steps} are applied`
  const undone = steps < statement.index ? `, those from ${steps + 1} on were rolled back with it` : ""
  const reached = `statement ${statement.index + 1} of ${length} of ${name} failed, ${applied}${undone}`
  const part = mayHaveCommitted(prepared, statement) ? " What it committed itself before that is applied." : ""
  return `${reached}, and the history holds the failed row.${part}${left ? ` ${left}` : ""}`
}
