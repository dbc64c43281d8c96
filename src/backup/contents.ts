import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"

/** Where a backup is restored: a whole database, or one of its schemas. */
export type Place = { readonly scope: "database" } | { readonly scope: "schema"; readonly schema: string }

/** PostgreSQL's own schemas, and those that extensions have made. */
const ofPeople = `n.nspname NOT IN ('information_schema', 'pg_catalog', 'pg_toast') AND n.nspname !~ '^pg_(temp|toast_temp)_'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass AND d.objid = n.oid AND d.deptype = 'e')`

/** What is in a schema: relations, functions, types of their own, and the rest that a name can have. No extension's. */
const objects = `SELECT c.oid, 'pg_class'::regclass AS class, c.relnamespace AS namespace, c.relname AS name,
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN 'FOREIGN TABLE'
      WHEN 'c' THEN 'TYPE' ELSE 'TABLE' END AS kind, NULL AS arguments
    FROM pg_class c WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
  UNION ALL SELECT p.oid, 'pg_proc'::regclass, p.pronamespace, p.proname, 'ROUTINE', pg_get_function_identity_arguments(p.oid) FROM pg_proc p
  UNION ALL SELECT t.oid, 'pg_type'::regclass, t.typnamespace, t.typname, CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, NULL
    FROM pg_type t WHERE t.typtype IN ('d', 'e', 'r')
  UNION ALL SELECT s.oid, 'pg_ts_config'::regclass, s.cfgnamespace, s.cfgname, 'TEXT SEARCH CONFIGURATION', NULL FROM pg_ts_config s
  UNION ALL SELECT l.oid, 'pg_collation'::regclass, l.collnamespace, l.collname, 'COLLATION', NULL FROM pg_collation l`

const ownObjects = `FROM (${objects}) AS o JOIN pg_namespace n ON n.oid = o.namespace
  WHERE ${ofPeople} AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = o.class AND d.objid = o.oid AND d.deptype IN ('e', 'i'))`

const inPlace = (place: Place): string =>
  place.scope === "schema" ? `AND n.nspname = ${quoteLiteral(place.schema)}` : ""

/** What a place holds already, in words: "public.account, public.order and more". Undefined where it is empty. */
export async function whatIsIn(client: Client, place: Place): Promise<string | undefined> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, o.name) AS name ${ownObjects} ${inPlace(place)} ORDER BY 1 LIMIT 4`,
  )
  if (rows.length === 0) return undefined
  const names = rows.slice(0, 3).map(({ name }) => name)
  return `${names.join(", ")}${rows.length > 3 ? " and more" : ""}`
}

/**
 * SQL that empties a place, as one statement. In `public` what extensions have made stays, because not every role may make
 * it again; a backup says CREATE EXTENSION IF NOT EXISTS. Large objects and publications belong to the database.
 */
export function emptying(place: Place): string {
  const drops = `SELECT format('DROP %s IF EXISTS %I.%I%s CASCADE', o.kind, n.nspname, o.name, '(' || o.arguments || ')') AS drop
    ${ownObjects} AND n.nspname = 'public' ${inPlace(place)}`
  const schemas = `SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', n.nspname) AS drop FROM pg_namespace n
    WHERE ${ofPeople} AND n.nspname <> 'public' ${inPlace(place)}`
  const ofDatabase = `UNION ALL SELECT format('DROP PUBLICATION IF EXISTS %I', pubname) FROM pg_publication
    UNION ALL SELECT format('SELECT pg_catalog.lo_unlink(%s)', oid) FROM pg_largeobject_metadata`
  return `DO $lockstep$ DECLARE one text; BEGIN
    FOR one IN ${drops} UNION ALL ${schemas} ${place.scope === "database" ? ofDatabase : ""} LOOP
      EXECUTE one;
    END LOOP;
  END $lockstep$`
}

/**
 * SQL that removes an empty schema: an archive of one schema begins with CREATE SCHEMA. That of a whole database has no
 * line for `public`, and nothing is removed.
 */
export const removingEmptySchema = (place: Place): string =>
  place.scope === "schema" ? `DROP SCHEMA IF EXISTS ${quoteIdentifier(place.schema)}` : ""
