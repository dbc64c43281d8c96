import { finishRow, startedRow } from "../../history/rows.js"
import { type DeployContext, startMigration } from "../context.js"
import { lostOr, RowRefused } from "../failure.js"
import { throwIfInterrupted } from "../interrupt.js"
import { type ResumePoint, stepsLog } from "../recover/resume.js"
import type { Prepared } from "./prepare.js"
import { rowRefused } from "./refused.js"
import { freshSettings, settingStatements } from "./session.js"
import { applyStatement } from "./statement.js"
import { beginReadWrite, rowKey, type StepwiseRun, stateAt } from "./stepwise-run.js"
import { opening } from "./transactional.js"

/** What earlier deploys did with a migration. */
export interface Earlier {
  /** Where it is resumed; undefined where it starts at its beginning. */
  readonly resume: ResumePoint | undefined
  /** Whether an attempt was marked as rolled back, whose invalid indexes may still exist. */
  readonly rolledBack: boolean
}

/**
 * Applies a migration statement by statement, counting in its history row. Statements that PostgreSQL allows in a
 * transaction commit together with their count.
 * Resolves to the duration in milliseconds. Errors: L1015 a statement was refused, L1001 interrupted; ConnectionLost.
 */
export async function applyStepwise(context: DeployContext, prepared: Prepared, earlier: Earlier): Promise<number> {
  const begun = performance.now()
  const { resume } = earlier
  const id = resume?.id ?? startMigration(context.progress, prepared)
  const run: StepwiseRun = { ...context, prepared, id, steps: resume?.steps ?? 0 }
  const explain = async (error: unknown, state: string): Promise<never> => {
    throw lostOr(run.client, error) instanceof RowRefused ? await rowRefused(run, prepared, state) : error
  }
  await begin(run, resume).catch((error) => explain(error, "nothing of this migration was applied or recorded."))
  await applyStatements(run, earlier).catch((error) =>
    explain(error, `${stateAt(run)} Whether the statement after them is applied is not known.`),
  )
  return Math.round(performance.now() - begun)
}

async function begin(run: StepwiseRun, resume: ResumePoint | undefined): Promise<void> {
  const { client, prepared } = run
  await client.query(opening(client).join(";"))
  if (resume !== undefined) return
  await client.query(
    `${beginReadWrite}${startedRow(rowKey(run), prepared.migration, stepsLog(prepared.statements, 0))};COMMIT`,
  )
}

async function applyStatements(run: StepwiseRun, { resume, rolledBack }: Earlier): Promise<void> {
  const { client, prepared, request } = run
  const { statements } = prepared
  for (const sql of settingStatements(statements.slice(0, run.steps))) await client.query(sql)
  for (const statement of statements.slice(run.steps)) {
    throwIfInterrupted(request.signal, stateAt(run))
    const isNext = statement.index === resume?.steps
    await applyStatement(run, statement, {
      attempt: isNext ? resume.next : rolledBack ? "refused" : undefined,
      unattended: isNext && resume.cause === "lost connection",
    })
  }
  await client.query(`${beginReadWrite}${freshSettings(run)}${finishRow(rowKey(run), prepared.migration)};COMMIT`)
}
