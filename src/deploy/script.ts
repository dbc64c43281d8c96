import type { FolderMigration } from "../history/folder.js"
import { historyTable } from "../history/recorded.js"
import { quoteLiteral } from "../postgres/sqlstate.js"
import type { Prepared } from "./prepare.js"

/** Unlike any column that a migration selects. */
export const durationColumn = "lockstep_duration_ms"

/**
 * The row of a migration that is done, as Prisma writes it. Gives back the milliseconds that it took. Within one message
 * now() stands still: a migration starts there when the one before it, whose row is `previous`, is finished.
 */
function finishedRow(schema: string, id: string, { name, checksum }: FolderMigration, previous?: string): string {
  const table = historyTable(schema)
  const started = previous === undefined ? "now()" : `(SELECT finished_at FROM ${table} WHERE id='${previous}')`
  return (
    `INSERT INTO ${table} AS done (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
    `VALUES ('${id}','${checksum}',clock_timestamp(),${quoteLiteral(name)},${started},1) ` +
    `RETURNING round(extract(epoch FROM done.finished_at-done.started_at)*1000) AS ${durationColumn}`
  )
}

/** A transactional migration as one message, and where in it the script begins (in characters). */
export interface Message {
  readonly before: string
  readonly script: string
  readonly after: string
}

/**
 * `BEGIN; script; history row; COMMIT`: the row and the migration stand or fall together. `fresh`: the SQL that resets the
 * session; `previous`: the id of the row before, where it is in the same message.
 */
export function transactionMessage(
  { sql, migration }: Prepared,
  schema: string,
  id: string,
  fresh: string,
  previous?: string,
): Message {
  return {
    before: "BEGIN;",
    script: `${sql}\n;`,
    after: `${fresh}${finishedRow(schema, id, migration, previous)};COMMIT;`,
  }
}

/** The row of a migration that begins: without `finished_at` it counts as failed until it is done. */
export const startedRow = (schema: string, id: string, { name, checksum }: FolderMigration, logs: string): string =>
  `INSERT INTO ${historyTable(schema)} (id,checksum,migration_name,started_at,applied_steps_count,logs) ` +
  `VALUES ('${id}','${checksum}',${quoteLiteral(name)},clock_timestamp(),0,${quoteLiteral(logs)})`

/** Records how many statements are done, as the URL's role whatever role the migration has set. */
export const stepsDone = (schema: string, id: string, steps: number, logs: string): string =>
  `SET LOCAL ROLE NONE;UPDATE ${historyTable(schema)} SET applied_steps_count=${steps},logs=${quoteLiteral(logs)} WHERE id=${quoteLiteral(id)}`

/** Turns the row of a migration that begins into that of one that is done. */
export const finishRow = (schema: string, id: string, checksum: string): string =>
  `UPDATE ${historyTable(schema)} SET finished_at=clock_timestamp(),applied_steps_count=1,logs=NULL,checksum='${checksum}' ` +
  `WHERE id=${quoteLiteral(id)}`

/** Records why a migration stopped, where Prisma records it. */
export const failedRow = (schema: string, id: string, logs: string): string =>
  `UPDATE ${historyTable(schema)} SET logs=${quoteLiteral(logs)} WHERE id=${quoteLiteral(id)}`
