import { openToRead } from "../deploy/connect/database.js"
import { compare } from "../history/compare.js"
import type { Folder } from "../history/folder.js"
import { findExistingObjects, readHistory } from "../history/recorded.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { knowingNew } from "../sql/script-effects.js"
import type { Plan, PlannedMigration } from "./planned.js"
import { type ReadMigration, type ReadStatement, readMigration } from "./read.js"
import { readRelations } from "./relations.js"
import { type Tables, tablesOf } from "./tables.js"
import { workOf } from "./work.js"

/** What a plan needs. */
export interface PlanRequest {
  readonly url: DatabaseUrl
  readonly folder: Folder
}

/**
 * What a deploy would do now: every statement of the pending migrations, with the lock and the cost by the rules of
 * docs/lock-rules.md, and the relations' sizes in the database. Reads only.
 * Errors: L1013 psql meta-commands, L1108 and L1110 the history cannot be read, L1210 to L1219 no connection, L1021 a transaction pooler.
 */
export async function planMigrations({ url, folder }: PlanRequest): Promise<Plan> {
  const client = await openToRead(url, "lockstep plan")
  try {
    const recorded = await readHistory(client, url.schema)
    const comparison = compare(folder.migrations, recorded ?? [])
    const pending: ReadMigration[] = []
    for (const one of comparison.pending) pending.push(await readMigration(one))
    const { names, schemas } = mentioned(pending)
    const tables = tablesOf(await readRelations(client, names, [url.schema, ...schemas]), url.schema)
    return {
      migrations: pending.map((one) => planned(one, tables)),
      total: folder.migrations.length,
      failed: comparison.failed.map(({ name }) => name),
      existingObjects: recorded === undefined ? await findExistingObjects(client, url.schema) : undefined,
    }
  } finally {
    await client.end()
  }
}

function planned(migration: ReadMigration, tables: Tables): PlannedMigration {
  tables.beginMigration()
  const statements = migration.statements.map(({ line, text, effects, changes }) => {
    const work = workOf(knowingNew(effects, tables.isNew), tables)
    for (const change of changes) tables.follow(change)
    return { line, text, work }
  })
  return { ...migration, statements }
}

function mentioned(migrations: readonly ReadMigration[]): { names: readonly string[]; schemas: readonly string[] } {
  const statements = migrations.flatMap(({ statements }) => statements)
  const relations = statements.flatMap(relationsOf)
  const paths = statements.flatMap(({ changes }) =>
    changes.flatMap((each) => (each.change === "search path" ? (each.schemas ?? []) : [])),
  )
  return {
    names: [...new Set(relations.map(({ name }) => name))],
    schemas: [...new Set([...relations.flatMap(({ schema }) => schema ?? []), ...paths])],
  }
}

function relationsOf({ effects, changes }: ReadStatement) {
  const worked = effects.flatMap(({ table, index }) => table ?? index ?? [])
  const moved = changes.flatMap((each) => (each.change === "move" ? [each.from] : []))
  return [...worked, ...moved]
}
