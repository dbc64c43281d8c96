import { type CatalogObject, catalogLine, readCatalog } from "./catalog.js"
import { type Client, connect } from "./connect.js"
import { quoteIdentifier } from "./quote.js"
import type { DatabaseUrl } from "./url.js"

/** A URL's schema, and every other one of the database that is not PostgreSQL's own; `public` where it holds something. */
export async function schemasOf(client: Client, schema: string): Promise<readonly string[]> {
  const holds = (catalog: string, column: string) =>
    `EXISTS (SELECT FROM ${catalog} o WHERE o.${column} = n.oid AND NOT EXISTS
      (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = o.oid AND e.deptype = 'e'))`
  const { rows } = await client.query<{ name: string }>({
    text: `SELECT nspname AS name FROM pg_namespace n WHERE nspname <> $1 AND nspname !~ '^pg_' AND nspname <> 'information_schema'
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid AND e.deptype = 'e')
      AND (nspname <> 'public' OR ${holds("pg_class", "relnamespace")} OR ${holds("pg_type", "typnamespace")} OR ${holds("pg_proc", "pronamespace")})`,
    values: [schema],
  })
  return [schema, ...rows.map(({ name }) => name)]
}

/** Drops schemas of a database, with all that is in them; one that does not exist is none. */
export async function dropSchemas(url: DatabaseUrl, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const client = await connect(url)
  try {
    await client.query(`DROP SCHEMA IF EXISTS ${names.map(quoteIdentifier).join(", ")} CASCADE`)
  } finally {
    await client.end()
  }
}

/** The objects of several schemas. */
export async function readCatalogs(client: Client, schemas: readonly string[]): Promise<readonly CatalogObject[]> {
  const objects: CatalogObject[] = []
  for (const schema of schemas) objects.push(...(await readCatalog(client, schema)))
  return distinct(objects)
}

/** An extension and an event trigger belong to the database: they are found with each schema. */
export const distinct = (objects: readonly CatalogObject[]): readonly CatalogObject[] => [
  ...new Map(objects.map((one) => [catalogLine(one), one])).values(),
]
