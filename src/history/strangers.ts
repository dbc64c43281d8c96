import type { Client } from "../postgres/connect.js"

/** Tables, views, sequences and enums that no extension owns. */
const query = `SELECT format('%I', name) AS name FROM (
    SELECT c.oid, 'pg_class'::regclass AS class, c.relname AS name, c.relnamespace AS namespace FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    UNION ALL
    SELECT t.oid, 'pg_type'::regclass, t.typname, t.typnamespace FROM pg_type t WHERE t.typtype = 'e'
  ) AS object
  WHERE namespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = object.oid AND d.classid = object.class AND d.deptype = 'e')
  ORDER BY name LIMIT 4`

/**
 * What a schema without a history holds all the same, in words: "account, order". Undefined where it is empty, so that
 * migrations may be applied to it.
 */
export async function strangersIn(client: Client, schema: string): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>({ text: query, values: [schema] })
  if (rows.length === 0) return undefined
  const names = rows.slice(0, 3).map(({ name }) => name)
  return `${names.join(", ")}${rows.length > 3 ? " and more" : ""}`
}
