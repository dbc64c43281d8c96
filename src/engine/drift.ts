import { type CatalogDifference, catalogLine, compareCatalogs, readCatalog } from "../postgres/catalog.js"
import type { Client } from "../postgres/connect.js"
import type { Step } from "./history-list.js"
import { replay, withShadow } from "./replay.js"
import type { Setting } from "./setting.js"

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
