import * as z from "zod/mini"
import type { Client } from "./module.js"

const column = z.object({
  relation: z.string(),
  writable: z.boolean(),
  name: z.string(),
  type: z.string(),
  length: z.nullable(z.number()),
  required: z.boolean(),
  generated: z.boolean(),
  key: z.boolean(),
  label: z.nullable(z.string()),
})

/** A column as the catalog knows it. */
export type Column = z.infer<typeof column>

const query = `
SELECT n.nspname || '.' || c.relname AS relation,
       c.relkind IN ('r', 'p') AS writable,
       a.attname::text AS name,
       coalesce(base.typname, t.typname)::text AS type,
       CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END AS length,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       coalesce(a.attnum = ANY (i.indkey::int2[]), false) AS key,
       (SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 1) AS label
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type base ON base.oid = t.typbasetype
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')`

/** Every table's and view's columns, by "schema.relation". */
export async function readColumns(client: Client): Promise<ReadonlyMap<string, readonly Column[]>> {
  const rows = z.parse(z.array(column), await client.$queryRawUnsafe(query))
  const found = new Map<string, Column[]>()
  for (const row of rows) found.set(row.relation, [...(found.get(row.relation) ?? []), row])
  return found
}
