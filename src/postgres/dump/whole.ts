import { readCatalog, readPrivileges } from "../catalog.js"
import type { Client } from "../connect.js"
import { readDefinitions } from "./definitions.js"
import { own, relations, userSchema } from "./tables.js"

/**
 * A database's objects, one line each, to compare two databases: the catalogs of every schema with privileges, the
 * statements that make the objects, every object that PostgreSQL can name whatever its kind, owners, the order of
 * columns, and where sequences stand. The history and what belongs to extensions do not count.
 */
export async function describeWhole(client: Client, schema: string): Promise<ReadonlySet<string>> {
  const lines = new Set<string>()
  for (const each of await schemaNames(client)) {
    const objects = [...(await readCatalog(client, each)), ...(await readPrivileges(client, each))]
    for (const { kind, name, definition } of objects) lines.add(`${kind} ${name} ${definition}`.trim())
  }
  for (const { object, sql } of await readDefinitions(client, schema)) lines.add(`${object}: ${sql}`)
  await client.query("BEGIN READ ONLY; SET LOCAL search_path TO ''")
  try {
    const { rows } = await client.query<{ line: string }>(rest)
    for (const { line } of rows) lines.add(line)
  } finally {
    await client.query("ROLLBACK")
  }
  return lines
}

async function schemaNames(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ nspname: string }>(`SELECT nspname FROM pg_namespace n WHERE ${userSchema}`)
  return rows.map(({ nspname }) => nspname)
}

/** Every catalog whose objects a migration can make, with a condition for those that PostgreSQL names by numbers. */
const catalogs: Readonly<Record<string, string>> = {
  pg_class: "o.relkind NOT IN ('t', 'i', 'I') OR o.relnamespace <> 'pg_toast'::regnamespace",
  pg_proc: "true",
  pg_type: "true",
  // Names of NOT NULL are those of the table at the time, and mean nothing.
  pg_constraint: "o.contype <> 'n'",
  pg_trigger: "NOT o.tgisinternal",
  ...Object.fromEntries(
    [
      "pg_operator",
      "pg_opclass",
      "pg_opfamily",
      "pg_cast",
      "pg_collation",
      "pg_conversion",
      "pg_ts_config",
      "pg_ts_dict",
      "pg_ts_parser",
      "pg_ts_template",
      "pg_event_trigger",
      "pg_publication",
      "pg_foreign_data_wrapper",
      "pg_foreign_server",
      "pg_statistic_ext",
      "pg_default_acl",
      "pg_language",
      "pg_policy",
      "pg_rewrite",
      "pg_extension",
      "pg_namespace",
      "pg_transform",
      "pg_am",
    ].map((catalog) => [catalog, "true"]),
  ),
}

const objects = Object.entries(catalogs).map(
  ([catalog, condition]) =>
    `SELECT format('%s %s', i.type, i.identity) AS line FROM ${catalog} o CROSS JOIN LATERAL pg_identify_object('${catalog}'::regclass, o.oid, 0) i
      WHERE o.oid >= 16384 AND (${condition}) AND ${own(catalog, "o.oid")} AND i.identity !~ '_prisma_migrations|pg_toast|pg_temp'`,
)

const rest = `${objects.join("\nUNION ALL\n")}
  UNION ALL SELECT format('columns of %s: %s', c.oid::regclass, (SELECT string_agg(a.attname, ', ' ORDER BY a.attnum) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)) FROM ${relations("'r', 'p', 'f'")}
  UNION ALL SELECT format('owner of %s: %s', c.oid::regclass, pg_get_userbyid(c.relowner)) FROM ${relations("'r', 'p', 'v', 'm', 'S', 'f'")}
  UNION ALL SELECT format('owner of %s: %s', p.oid::regprocedure, pg_get_userbyid(p.proowner)) FROM pg_namespace n
    JOIN pg_proc p ON p.pronamespace = n.oid AND ${own("pg_proc", "p.oid")} WHERE ${userSchema}
  UNION ALL SELECT format('sequence %I.%I stands at %s', q.schemaname, q.sequencename, q.last_value) FROM pg_sequences q
    WHERE q.last_value IS NOT NULL`
