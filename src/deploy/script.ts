import type { FolderMigration } from "../history/folder.js"
import { historyTable } from "../history/recorded.js"
import { quoteLiteral } from "../postgres/sqlstate.js"
import type { Prepared } from "./prepare.js"

/** Unlike any column that a migration selects. */
export const durationColumn = "lockstep_duration_ms"

const duration = `round(extract(epoch FROM finished_at-started_at)*1000) AS ${durationColumn}`

/** The row of a migration that is done, as Prisma writes it. `started`: SQL. */
const finishedRow = (schema: string, id: string, { name, checksum }: FolderMigration, started: string): string =>
  `INSERT INTO ${historyTable(schema)} (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
  `VALUES ('${id}','${checksum}',clock_timestamp(),${quoteLiteral(name)},${started},1)`

/** A transactional migration as one message, and where in it the script begins (in characters). */
export interface Message {
  readonly before: string
  readonly script: string
  readonly after: string
}

/**
 * `BEGIN; script; history row; COMMIT`: the row and the migration stand or fall together. Gives back the milliseconds
 * that it took. `fresh`: the SQL that resets the session.
 */
export function transactionMessage({ sql, migration }: Prepared, schema: string, id: string, fresh: string): Message {
  const row = finishedRow(schema, id, migration, "now()")
  return { before: "BEGIN;", script: `${sql}\n;`, after: `${fresh}${row} RETURNING ${duration};COMMIT;` }
}

/** A migration in a message that it shares, and the id of its history row. */
export interface Sent {
  readonly prepared: Prepared
  readonly id: string
}

/**
 * Several transactional migrations as one message, each in its own transaction with its own row; it ends with the
 * milliseconds that each of them took. Within one message now() stands still: a migration starts there when the one
 * before it is finished.
 */
export function batchMessage(batch: readonly Sent[], schema: string, fresh: string): string {
  const table = historyTable(schema)
  const transactions = batch.map(({ prepared: { sql, migration }, id }, index) => {
    const previous = batch[index - 1]?.id
    const started = previous === undefined ? "now()" : `(SELECT finished_at FROM ${table} WHERE id='${previous}')`
    return `BEGIN;${sql}\n;${fresh}${finishedRow(schema, id, migration, started)};COMMIT;`
  })
  const ids = batch.map(({ id }) => `'${id}'`).join(",")
  return `${transactions.join("")}SELECT ${duration} FROM ${table} WHERE id IN (${ids}) ORDER BY started_at`
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
