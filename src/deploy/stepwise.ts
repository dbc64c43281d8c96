import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { type Course, nextAfter, type Resume, stateAt } from "./course.js"
import { freshSession } from "./fresh-session.js"
import { throwIfInterrupted } from "./interrupt.js"
import { begin, type Ledger } from "./ledger.js"
import type { Prepared } from "./prepare.js"
import { recordFailure } from "./record-failure.js"
import type { DeployRequest } from "./request.js"
import { finishRow, startedRow } from "./script.js"
import { settingStatements } from "./session-settings.js"
import { applyStatement } from "./statement.js"
import { stepsLog } from "./steps.js"

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
  const { statements, migration } = prepared
  const id = resume?.id ?? begin(ledger, prepared)
  const course: Course = { client, prepared, request, ledger, id, steps: resume?.steps ?? 0 }
  if (resume === undefined) await client.query(startedRow(request.url.schema, id, migration, stepsLog(statements, 0)))
  for (const sql of settingStatements(statements.slice(0, course.steps))) await client.query(sql)
  for (const statement of statements.slice(course.steps)) {
    throwIfInterrupted(request.signal, stateAt(course))
    const isNext = statement.index === resume?.steps
    const doubt = isNext ? resume.doubt : attempted ? "refused" : undefined
    await applyStatement(course, statement, doubt, isNext && resume.by === "itself")
  }
  await settleRow(course)
  return Math.round(performance.now() - started)
}

async function settleRow(course: Course): Promise<void> {
  const { client, prepared, request, id } = course
  const last = prepared.statements.at(-1)
  if (client.getTransactionStatus() !== "I" && last !== undefined) {
    await client.query("ROLLBACK")
    const message = `${prepared.migration.name} begins a transaction and does not end it`
    throw new LockstepError("L1015", message, {
      file: prepared.file,
      state: await recordFailure(course, last, { code: "25001", message }),
      next: nextAfter(course),
    })
  }
  const { checksum } = prepared.migration
  await client.query(`BEGIN;${freshSession(client, request)}${finishRow(request.url.schema, id, checksum)};COMMIT`)
}
