import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import type { FolderMigration } from "../history/folder.js"
import { type CatalogObject, catalogLine, compareCatalogs } from "../postgres/catalog.js"
import type { Client } from "../postgres/connect.js"
import { readCatalogs } from "../postgres/schemas.js"
import { adviceFor, sqlstateOf } from "../postgres/sqlstate.js"
import { excerpt, offsetOfPosition, placeAt } from "../sql/place.js"
import { type ScratchSetting, withScratchDatabase } from "./database.js"
import { runOnScratch } from "./lacking.js"
import { schemasMadeBy } from "./schemas.js"
import type { Session } from "./script.js"

/** A migration to replay. */
export interface Step {
  readonly name: string
  readonly sql: string
}

/** Migrations of a folder as steps. */
export const stepsOf = (migrations: readonly FolderMigration[]): readonly Step[] =>
  migrations.map(({ name, text: sql }) => ({ name, sql }))

/** Runs migrations on a scratch database. Errors: L1406 one of them fails, L1409 it needs what the server lacks. */
export async function replay(session: Session, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await runOnScratch(session, step.sql).catch((cause) => Promise.reject(replayFailed(step, cause)))
  }
}

/**
 * Does work on a scratch database in which a history was replayed, after initShadowDb, and drops it afterwards. What the
 * setting's own history has of it is copied. Errors: L1406 one of the migrations fails.
 */
export async function withReplayed<T>(
  setting: ScratchSetting,
  steps: readonly Step[],
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { history, initShadowDb } = setting
  const before = initShadowDb ? 1 : 0
  const known = history?.scripts ?? []
  const isPrefix = known.every((sql, at) => sql === (at < before ? initShadowDb : steps[at - before]?.sql))
  if (history === undefined || !isPrefix) {
    return await withScratchDatabase(setting, async (session) => {
      await replay(session, steps)
      return await work(session)
    })
  }
  const database = await history.open()
  try {
    await replay(database, steps.slice(known.length - before))
    return await work(database)
  } finally {
    await database.drop()
  }
}

function replayFailed({ name, sql }: Step, cause: unknown): unknown {
  const file = `${name}/migration.sql`
  if (cause instanceof LockstepError) return new LockstepError(cause.code, cause.message, { ...cause.details, file })
  if (!(cause instanceof DatabaseError)) return cause
  // Where the script was sent in parts the position counts from the part's beginning, which is not known here.
  const place = cause.position === undefined ? undefined : placeAt(sql, offsetOfPosition(sql, Number(cause.position)))
  return new LockstepError("L1406", `${name} cannot be replayed on an empty database: ${cause.message}`, {
    file,
    line: place?.line,
    column: place?.column,
    excerpt: place && excerpt(sql, place.line, place.column),
    sqlstate: sqlstateOf(cause),
    hint: [cause.detail, cause.hint, adviceFor(cause.code)].filter(Boolean).join("\n") || undefined,
    state: "nothing was touched: the history was replayed on a scratch database.",
    next: "fix that migration's SQL (it must not need what no earlier migration creates), then run the same command again",
    cause,
  })
}

/** How a database's schema differs from its history: one line an object. Without a difference both lists are empty. */
export interface Drift {
  /** What the history makes and the database lacks, or has otherwise. */
  readonly missing: readonly string[]
  /** What the database has and the history does not make, or makes otherwise. */
  readonly unexpected: readonly string[]
}

/**
 * Compares the database behind `client` with the migrations that were applied to it, replayed on a scratch database.
 * It sees what Prisma's engine does not: views, triggers, functions, policies, checks, expression indexes.
 */
export async function findDrift(setting: ScratchSetting, client: Client, applied: readonly Step[]): Promise<Drift> {
  return await driftFrom(await replayedCatalog(setting, applied), client)
}

/** What migrations make of an empty database, and in which schemas. */
export interface ReplayedCatalog {
  readonly schemas: readonly string[]
  readonly objects: readonly CatalogObject[]
}

/** What migrations make of an empty database. Errors: L1406 one of them fails there. */
export async function replayedCatalog(setting: ScratchSetting, applied: readonly Step[]): Promise<ReplayedCatalog> {
  const schemas = await schemasMadeBy(applied, setting.url.schema)
  return await withScratchDatabase(setting, async (scratch) => {
    await replay(scratch, applied)
    return { schemas, objects: await readCatalogs(scratch.client, schemas) }
  })
}

/** Compares a database with what it should hold. */
export async function driftFrom({ schemas, objects }: ReplayedCatalog, client: Client): Promise<Drift> {
  return driftBetween(objects, await readCatalogs(client, schemas))
}

/** How far along its history a database is. */
export type Position =
  /** Its schema is what the history makes up to this migration. */
  | {
      readonly state: "found"
      /** Of the last migration that the database has. */
      readonly index: number
      /** Those at the end that change no object: whether they ran cannot be seen. */
      readonly unseen: readonly string[]
    }
  /** It holds nothing. */
  | { readonly state: "empty" }
  /** Nowhere along the history is the schema the database's; `closest` differs least. */
  | { readonly state: "elsewhere"; readonly closest: { readonly index: number; readonly drift: Drift } }

/**
 * Finds out which migrations a database without a history has: these are replayed one by one on a scratch database, and each
 * time the catalogs are compared. The last equal one counts. Errors: L1406 a migration cannot be replayed, and none before it
 * makes the database's schema.
 */
export async function findPosition(setting: ScratchSetting, client: Client, steps: readonly Step[]): Promise<Position> {
  const schemas = await schemasMadeBy(steps, setting.url.schema)
  const held = await readCatalogs(client, schemas)
  if (held.length === 0) return { state: "empty" }
  return await withScratchDatabase(setting, async (scratch) => {
    const equal: number[] = []
    let closest: { readonly index: number; readonly drift: Drift } | undefined
    for (const [index, step] of steps.entries()) {
      try {
        await replay(scratch, [step])
      } catch (error) {
        if (equal.length > 0) break
        throw error
      }
      const drift = driftBetween(await readCatalogs(scratch.client, schemas), held)
      const size = sizeOf(drift)
      if (size === 0) equal.push(index)
      if (closest === undefined || size < sizeOf(closest.drift)) closest = { index, drift }
    }
    const [first, last] = [equal[0], equal.at(-1)]
    if (first !== undefined && last !== undefined) {
      return { state: "found", index: last, unseen: steps.slice(first + 1, last + 1).map(({ name }) => name) }
    }
    return { state: "elsewhere", closest: closest ?? { index: -1, drift: driftBetween([], held) } }
  })
}

const sizeOf = ({ missing, unexpected }: Drift): number => missing.length + unexpected.length

function driftBetween(expected: readonly CatalogObject[], held: readonly CatalogObject[]): Drift {
  const { onlyFirst, onlySecond } = compareCatalogs(expected, held)
  return { missing: sortedLines(onlyFirst), unexpected: sortedLines(onlySecond) }
}

const sortedLines = (objects: readonly CatalogObject[]): readonly string[] => objects.map(catalogLine).sort()
