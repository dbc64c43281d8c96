import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import { type CatalogDifference, catalogLine, compareCatalogs, readCatalog } from "../postgres/catalog.js"
import type { Client } from "../postgres/connect.js"
import { adviceFor, quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"
import type { Setting, Step } from "../schema-engine/open.js"
import { excerpt } from "../sql/excerpt.js"
import { offsetOfPosition, placeAt } from "../sql/place.js"
import { openShadow } from "./database.js"
import { runScript, searchPath } from "./script.js"

/** Does work on an empty database beside the real one, which is dropped afterwards whatever happens. */
export async function withShadow<T>(setting: Setting, work: (client: Client) => Promise<T>): Promise<T> {
  const { schema } = setting.url
  const { client, drop } = await openShadow(setting.url, setting.shadowUrl)
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}; ${searchPath(schema)}`)
    if (setting.initShadowDb) await runScript(client, schema, setting.initShadowDb)
    return await work(client)
  } finally {
    await drop()
  }
}

/** Runs migrations on a shadow database. Errors: L1406 one of them fails, with its place. */
export async function replay(client: Client, schema: string, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await runScript(client, schema, step.sql).catch((cause) => Promise.reject(replayFailed(step, cause)))
  }
}

function replayFailed({ name, sql }: Step, cause: unknown): unknown {
  if (!(cause instanceof DatabaseError)) return cause
  // Where the script was sent in parts the position counts from the part's beginning, which is not known here.
  const whole = cause.position === undefined ? undefined : placeAt(sql, offsetOfPosition(sql, Number(cause.position)))
  return new LockstepError("L1406", `${name} cannot be replayed on an empty database: ${cause.message}`, {
    file: `${name}/migration.sql`,
    line: whole?.line,
    column: whole?.column,
    excerpt: whole && excerpt(sql, whole.line, whole.column),
    sqlstate: sqlstateOf(cause),
    hint: [cause.detail, cause.hint, adviceFor(cause.code)].filter(Boolean).join("\n") || undefined,
    state: "nothing was touched: it was a shadow database, and it is dropped.",
    next: "mend that migration's SQL (it must not need what no earlier migration creates), then run the same command again",
    cause,
  })
}

/** How a database's schema differs from its history; both lists empty: it does not. One line an object. */
export interface Drift {
  /** What the history makes and the database lacks, or has otherwise. */
  readonly missing: readonly string[]
  /** What the database has and the history does not make, or makes otherwise. */
  readonly unexpected: readonly string[]
}

/**
 * Compares the database behind `client` with the migrations that were applied to it, replayed on a shadow database.
 * It sees what Prisma's engine does not: views, triggers, functions, policies, checks, expression indexes.
 * Errors: L1404, L1405, L1406.
 */
export async function findDrift(setting: Setting, client: Client, applied: readonly Step[]): Promise<Drift> {
  const { schema } = setting.url
  const expected = await withShadow(setting, async (shadow) => {
    await replay(shadow, schema, applied)
    return await readCatalog(shadow, schema)
  })
  return asLines(compareCatalogs(expected, await readCatalog(client, schema)))
}

const asLines = ({ onlyFirst, onlySecond }: CatalogDifference): Drift => ({
  missing: onlyFirst.map(catalogLine).sort(),
  unexpected: onlySecond.map(catalogLine).sort(),
})
