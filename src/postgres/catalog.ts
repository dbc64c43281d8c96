import { catalogQuery, type Kind } from "./catalog-query.js"
import type { Client } from "./connect.js"
import { quoteLiteral } from "./quote.js"

/** One object of a schema. Two databases have the same one when kind, name and definition agree. */
export interface CatalogObject {
  readonly kind: Kind
  /** Qualified and quoted, as it is written in SQL; a column's and a constraint's begin with the table's. */
  readonly name: string
  /** What it is, in PostgreSQL's words. */
  readonly definition: string
  /** The SQL that makes and drops it; empty where there is no single statement for it. */
  readonly create: string
  readonly drop: string
}

/**
 * The objects of one schema, oldest first; without those of extensions and without the history table.
 * The order of columns, comments, owners and privileges are not looked at.
 */
export async function readCatalog(client: Client, schema: string): Promise<readonly CatalogObject[]> {
  // With an empty search path PostgreSQL qualifies every name, so that the answers do not depend on the session.
  await client.query("BEGIN READ ONLY; SET LOCAL search_path TO ''")
  try {
    return (await client.query<CatalogObject>(catalogQuery(quoteLiteral(schema)))).rows
  } finally {
    await client.query("ROLLBACK")
  }
}

/** One line an object, sorted: for comparing two databases, or a database with itself later. */
export async function describeCatalog(client: Client, schema: string): Promise<readonly string[]> {
  return (await readCatalog(client, schema)).map(catalogLine).sort()
}

/** An object on one line. */
export const catalogLine = ({ kind, name, definition }: CatalogObject): string =>
  `${kind} ${name}${definition ? ` ${definition.replaceAll(/\s+/g, " ").trim()}` : ""}`

/** What only one of two catalogs has; an object that differs is in both lists. */
export interface CatalogDifference {
  readonly onlyFirst: readonly CatalogObject[]
  readonly onlySecond: readonly CatalogObject[]
}

/** Compares two catalogs. */
export function compareCatalogs(first: readonly CatalogObject[], second: readonly CatalogObject[]): CatalogDifference {
  const [inFirst, inSecond] = [first, second].map((objects) => new Set(objects.map(catalogLine)))
  return {
    onlyFirst: first.filter((object) => !inSecond?.has(catalogLine(object))),
    onlySecond: second.filter((object) => !inFirst?.has(catalogLine(object))),
  }
}
