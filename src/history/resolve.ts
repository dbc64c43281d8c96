import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteLiteral } from "../postgres/quote.js"
import { digestOf, type FolderMigration } from "./folder.js"
import { createHistoryTable, hasFailed, historyTable, isApplied, readHistory } from "./recorded.js"
import { findingOf, notKept, rowsAre, runDeferred } from "./rows.js"
import { replacedNames, rowIdFor } from "./squash.js"

const nothing = "nothing was touched."

/**
 * Records that what a failed migration did has been removed from the database, so that the next deploy runs it; a second
 * time it changes nothing.
 * Errors: L1107 it is not in the history, L1109 it has not failed, L1018. Source: Prisma's `migrate resolve --rolled-back`.
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
  await write(client, { schema, name }, [rollBack(schema, name), runDeferred, noneUnfinished(schema, name)])
}

/**
 * Records a migration as applied without running it: after a failure that was fixed by hand, or for a database that
 * adopts a history; where there is no history table it is made. A squashed one takes the place of what it replaces.
 * Errors: L1109 it is applied already, L1018. Source: Prisma's `migrate resolve --applied`.
 */
export async function markApplied(client: Client, schema: string, migration: FolderMigration): Promise<void> {
  const recorded = await readHistory(client, schema)
  if (recorded === undefined) return await adopt(client, schema, [migration])
  const { name, squash } = migration
  const row = applied(schema, migration)
  if (squash !== undefined && recorded.every(({ checksum }) => checksum !== migration.checksum)) {
    const replaced = `migration_name IN (${replacedNames(squash.replaces).map(quoteLiteral).join(",")})`
    const gone = `DELETE FROM ${historyTable(schema)} WHERE ${replaced}`
    const others = rowsAre(0, schema, `${replaced} AND id<>'${row.id}'`)
    return await write(client, { schema, name }, [gone, row.sql, runDeferred, others, keeps(schema, [row.id])])
  }
  if (recorded.some((row) => row.name === name && isApplied(row))) {
    throw new LockstepError("L1109", `${name} is already applied`, { state: nothing, next: "`lockstep status`" })
  }
  await write(client, { schema, name }, [
    rollBack(schema, name),
    row.sql,
    runDeferred,
    noneUnfinished(schema, name),
    keeps(schema, [row.id]),
  ])
}

/**
 * Marks all but the first row of an applied migration as rolled back, which Prisma passes over, too. Resolves to how many
 * these are. Errors: L1018.
 */
export async function keepOneRow(client: Client, schema: string, name: string): Promise<number> {
  const rows = (await readHistory(client, schema))?.filter((row) => row.name === name && isApplied(row)) ?? []
  const ids = rows.slice(1).map(({ id }) => quoteLiteral(id))
  if (ids.length > 0) {
    const extra = `id IN (${ids.join(",")})`
    await write(client, { schema, name }, [
      `UPDATE ${historyTable(schema)} SET rolled_back_at=now() WHERE ${extra}`,
      runDeferred,
      rowsAre(0, schema, `${extra} AND rolled_back_at IS NULL`),
    ])
  }
  return ids.length
}

/** Records migrations as applied in a database that has no history yet; the table is made. Errors: L1018. */
export async function adopt(client: Client, schema: string, migrations: readonly FolderMigration[]): Promise<void> {
  const rows = migrations.map((one) => applied(schema, one))
  const ids = rows.map(({ id }) => id)
  await write(client, { schema, name: migrations.at(-1)?.name ?? "" }, [
    createHistoryTable(schema),
    ...rows.map(({ sql }) => sql),
    runDeferred,
    keeps(schema, ids),
  ])
}

interface Written {
  readonly schema: string
  readonly name: string
}

/** Runs statements in one transaction, the last of them checks of what the table keeps. Errors: L1018. */
async function write(client: Client, { schema, name }: Written, statements: readonly string[]): Promise<void> {
  try {
    await client.query(["BEGIN", ...statements, "COMMIT"].join(";"))
  } catch (error) {
    if (findingOf(error) === undefined) throw error
    await client.query("ROLLBACK")
    throw await notKept(client, { schema, name, state: "nothing was recorded." })
  }
}

const rollBack = (schema: string, name: string): string =>
  `UPDATE ${historyTable(schema)} SET rolled_back_at=now() WHERE ${unfinished(name)}`

const unfinished = (name: string): string =>
  `migration_name=${quoteLiteral(name)} AND finished_at IS NULL AND rolled_back_at IS NULL`

const noneUnfinished = (schema: string, name: string): string => rowsAre(0, schema, unfinished(name))

const keeps = (schema: string, ids: readonly string[]): string =>
  rowsAre(ids.length, schema, `id=ANY('{${ids.join(",")}}') AND finished_at IS NOT NULL AND rolled_back_at IS NULL`)

interface Row {
  readonly id: string
  readonly sql: string
}

/** As Prisma's engine writes it: both times equal, no step, and logs that are empty instead of absent. */
function applied(schema: string, migration: FolderMigration): Row {
  const id = rowIdFor(migration, digestOf)
  const columns = "id,checksum,migration_name,started_at,finished_at,logs,applied_steps_count"
  const values = `'${id}','${migration.checksum}',${quoteLiteral(migration.name)},moment,moment,'',0`
  return {
    id,
    sql: `INSERT INTO ${historyTable(schema)} (${columns}) SELECT ${values} FROM clock_timestamp() AS moment`,
  }
}
