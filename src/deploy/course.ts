import { type RowKey, stepsDone } from "../history/rows.js"
import type { Client } from "../postgres/connect.js"
import type { Statement } from "../sql/parse.js"
import type { Doubt } from "./doubt.js"
import type { Ledger } from "./ledger.js"
import { lockHolder } from "./lock.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"
import { stepsLog } from "./steps.js"

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
