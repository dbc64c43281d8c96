import { randomUUID } from "node:crypto"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteLiteral } from "../postgres/quote.js"
import type { FolderMigration } from "./folder.js"
import { createHistoryTable, hasFailed, historyTable, isApplied, readHistory } from "./recorded.js"

const nothing = "nothing was touched."

/**
 * Records that what a failed migration did has been removed from the database, so that the next deploy runs it; a second
 * time it changes nothing.
 * Errors: L1107 it is not in the history, L1109 it has not failed. Source: Prisma's `migrate resolve --rolled-back`.
 */
export async function markRolledBack(client: Client, schema: string, name: string): Promise<void> {
  const rows = ((await readHistory(client, schema)) ?? []).filter((row) => row.name === name)
  if (rows.length === 0)
    throw new LockstepError("L1107", `${name} is not in the history`, { state: nothing, next: "`lockstep status`" })
  if (rows.some(isApplied) && !rows.some(hasFailed)) {
    throw new LockstepError("L1109", `${name} has not failed, so it cannot be marked as rolled back`, {
      state: nothing,
      next: "to revert an applied migration: `lockstep undo`",
    })
  }
  await client.query(rollBack(schema, name))
}

/**
 * Records a migration as applied without running it: after a failure that was fixed by hand, or for a database that
 * adopts a history; where there is no history table it is made.
 * Errors: L1109 it is applied already. Source: Prisma's `migrate resolve --applied`.
 */
export async function markApplied(client: Client, schema: string, migration: FolderMigration): Promise<void> {
  const recorded = await readHistory(client, schema)
  if (recorded === undefined) return await adopt(client, schema, [migration])
  if (recorded.some((row) => row.name === migration.name && isApplied(row))) {
    throw new LockstepError("L1109", `${migration.name} is already applied`, {
      state: nothing,
      next: "`lockstep status`",
    })
  }
  await client.query(`BEGIN;${rollBack(schema, migration.name)};${applied(schema, migration)};COMMIT`)
}

/**
 * Marks all but the first row of an applied migration as rolled back, which Prisma passes over, too. Resolves to how many
 * these are.
 */
export async function keepOneRow(client: Client, schema: string, name: string): Promise<number> {
  const rows = (await readHistory(client, schema))?.filter((row) => row.name === name && isApplied(row)) ?? []
  const ids = rows.slice(1).map(({ id }) => quoteLiteral(id))
  if (ids.length > 0) {
    await client.query(`UPDATE ${historyTable(schema)} SET rolled_back_at=now() WHERE id IN (${ids.join(",")})`)
  }
  return ids.length
}

/** Records migrations as applied in a database that has no history yet; the table is made. */
export async function adopt(client: Client, schema: string, migrations: readonly FolderMigration[]): Promise<void> {
  await client.query(
    ["BEGIN", createHistoryTable(schema), ...migrations.map((one) => applied(schema, one)), "COMMIT"].join(";"),
  )
}

const rollBack = (schema: string, name: string): string =>
  `UPDATE ${historyTable(schema)} SET rolled_back_at=now() WHERE migration_name=${quoteLiteral(name)} AND finished_at IS NULL AND rolled_back_at IS NULL`

/** As Prisma's engine writes it: both times equal, no step, and logs that are empty instead of absent. */
const applied = (schema: string, { name, checksum }: FolderMigration): string =>
  `INSERT INTO ${historyTable(schema)} (id,checksum,migration_name,started_at,finished_at,logs,applied_steps_count) ` +
  `SELECT '${randomUUID()}','${checksum}',${quoteLiteral(name)},moment,moment,'',0 FROM clock_timestamp() AS moment`
