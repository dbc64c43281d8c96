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

/**
 * What a schema's catalog leaves out because a history seldom makes it: privileges of others than the owner (a role's on
 * one object are one entry), extensions in other schemas, and the database's event triggers. In the catalog's form.
 */
export async function readPrivileges(client: Client, schema: string): Promise<readonly CatalogObject[]> {
  await client.query("BEGIN READ ONLY; SET LOCAL search_path TO ''")
  try {
    return (await client.query<CatalogObject>(query(quoteLiteral(schema)))).rows
  } finally {
    await client.query("ROLLBACK")
  }
}

const notOfExtension = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`

/** Without an access list PostgreSQL's defaults apply, such as EXECUTE for everybody (chapter "Privileges"). */
const query = (schema: string): string => `
WITH objects AS (
  SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relowner AS owner,
    coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)) AS acl
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ${schema} AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relname <> '_prisma_migrations'
    AND ${notOfExtension("pg_class", "c.oid")}
  UNION ALL
  SELECT format('%I.%I.%I', n.nspname, c.relname, a.attname), c.relowner, a.attacl
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = ${schema} AND a.attacl IS NOT NULL AND ${notOfExtension("pg_class", "c.oid")}
  UNION ALL
  SELECT format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)), p.proowner,
    coalesce(p.proacl, acldefault('f', p.proowner))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = ${schema} AND ${notOfExtension("pg_proc", "p.oid")}
  UNION ALL
  SELECT format('schema %I', n.nspname), n.nspowner, n.nspacl FROM pg_namespace n WHERE n.nspname = ${schema}
)
SELECT 'grant' AS kind, format('%s to %s', o.name, coalesce(quote_ident(r.rolname), 'PUBLIC')) AS name,
  string_agg(DISTINCT a.privilege_type || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END, ', ') AS definition,
  '' AS create, '' AS drop
FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE a.grantee <> o.owner AND NOT (a.grantee = 0 AND o.name LIKE 'schema %')
GROUP BY o.name, r.rolname
UNION ALL
SELECT 'extension', quote_ident(x.extname), format('in %I', n.nspname), '', ''
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace WHERE n.nspname <> ${schema} AND x.extname <> 'plpgsql'
UNION ALL
SELECT 'event trigger', quote_ident(t.evtname), format('ON %s %s EXECUTE FUNCTION %s%s', t.evtevent,
  coalesce('WHEN TAG IN (' || array_to_string(t.evttags, ', ') || ')', ''), t.evtfoid::regproc,
  CASE t.evtenabled WHEN 'O' THEN '' ELSE ' ENABLED ' || t.evtenabled::text END), '', ''
FROM pg_event_trigger t WHERE ${notOfExtension("pg_event_trigger", "t.oid")}`
