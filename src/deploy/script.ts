import type { FolderMigration } from "../history/folder.js"
import { historyTable } from "../history/recorded.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/sqlstate.js"
import type { Prepared } from "./prepare.js"

/** The session as every migration finds it, whatever the one before left behind; the search path is Prisma's. */
export const freshSession = (schema: string, lockTimeoutMs: number): string =>
  `RESET SESSION AUTHORIZATION;RESET ROLE;RESET ALL;SET search_path=${quoteIdentifier(schema)};SET lock_timeout=${lockTimeoutMs};`

/** Unlike any column that a migration selects. */
export const durationColumn = "lockstep_duration_ms"

/** The row of a migration that is done, as Prisma writes it. Gives back the milliseconds since the transaction began. */
const finishedRow = (schema: string, id: string, { name, checksum }: FolderMigration): string =>
  `INSERT INTO ${historyTable(schema)} AS done (id,checksum,finished_at,migration_name,started_at,applied_steps_count) ` +
  // Within one message now() stands still: a migration starts when the one before is finished.
  `SELECT '${id}','${checksum}',clock_timestamp(),${quoteLiteral(name)},greatest(now(),max(finished_at)),1 FROM ${historyTable(schema)} ` +
  `RETURNING round(extract(epoch FROM done.finished_at-done.started_at)*1000) AS ${durationColumn}`

/** A transactional migration as one message, and where in it the script begins (in characters). */
export interface Message {
  readonly before: string
  readonly script: string
  readonly after: string
}

/** `BEGIN; script; history row; COMMIT`: the row and the migration stand or fall together. */
export function transactionMessage(prepared: Prepared, schema: string, id: string, lockTimeoutMs: number): Message {
  return {
    before: "BEGIN;",
    script: `${prepared.sql}\n;`,
    after: `${freshSession(schema, lockTimeoutMs)}${finishedRow(schema, id, prepared.migration)};COMMIT;`,
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
