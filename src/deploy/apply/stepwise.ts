import { finishRow, startedRow } from "../../history/rows.js"
import type { Client } from "../../postgres/connect.js"
import type { DeployRequest } from "../context.js"
import { begin, type Ledger } from "../context.js"
import { lostOr, RowRefused, rowRefused } from "../failure.js"
import { throwIfInterrupted } from "../interrupt.js"
import { stepsLog } from "../recover/row-log.js"
import type { Prepared } from "./prepare.js"
import { freshSettings, settingStatements } from "./session.js"
import { applyStatement } from "./statement.js"
import { type Course, type Resume, rowKey, stateAt } from "./stepwise-run.js"
import { opening } from "./transactional.js"

/**
 * Applies a migration statement by statement, counting in its history row; goes on where `resume` says. Statements that
 * PostgreSQL allows in a transaction commit together with their count. `attempted`: an earlier row was rolled back, so
 * that its invalid indexes may be in the way.
 * Resolves to the duration in milliseconds. Errors: L1015 a statement was refused, L1001 interrupted; ConnectionLost.
 */
export async function applyStepwise(
  client: Client,
  prepared: Prepared,
  request: DeployRequest,
  ledger: Ledger,
  { resume, attempted }: { readonly resume: Resume | undefined; readonly attempted: boolean },
): Promise<number> {
  const started = performance.now()
  const id = resume?.id ?? begin(ledger, prepared)
  const course: Course = { client, prepared, request, ledger, id, steps: resume?.steps ?? 0 }
  const explain = async (error: unknown, state: string): Promise<never> => {
    throw lostOr(client, error) instanceof RowRefused ? await rowRefused(client, prepared, request, state) : error
  }
  await beginRow(course, resume).catch((error) => explain(error, "nothing of this migration was applied or recorded."))
  await applyStatements(course, resume, attempted).catch((error) =>
    explain(error, `${stateAt(course)} Whether the statement after them is applied, it does not show.`),
  )
  return Math.round(performance.now() - started)
}

async function beginRow(course: Course, resume: Resume | undefined): Promise<void> {
  const { client, prepared } = course
  await client.query(opening(client).join(";"))
  if (resume !== undefined) return
  await client.query(`BEGIN;${startedRow(rowKey(course), prepared.migration, stepsLog(prepared.statements, 0))};COMMIT`)
}

async function applyStatements(course: Course, resume: Resume | undefined, attempted: boolean): Promise<void> {
  const { client, prepared, request } = course
  const { statements } = prepared
  for (const sql of settingStatements(statements.slice(0, course.steps))) await client.query(sql)
  for (const statement of statements.slice(course.steps)) {
    throwIfInterrupted(request.signal, stateAt(course))
    const isNext = statement.index === resume?.steps
    const doubt = isNext ? resume.doubt : attempted ? "refused" : undefined
    await applyStatement(course, statement, doubt, isNext && resume.by === "itself")
  }
  await client.query(`BEGIN;${freshSettings(client, request)}${finishRow(rowKey(course), prepared.migration)};COMMIT`)
}
