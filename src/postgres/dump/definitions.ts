import type { Client } from "../connect.js"
import { quoteIdentifier } from "../quote.js"
import { afterRows, beforeRows, named, own, relations, userSchema } from "./tables.js"

/** A statement that makes an object of a database. */
export interface Definition {
  /** Whether it comes before the rows or after them. */
  readonly phase: "before rows" | "after rows"
  /** What it makes, for people: `table "Order"`. */
  readonly object: string
  /** Without a semicolon. */
  readonly sql: string
}

/**
 * The statements that make a database's objects, of all schemas but PostgreSQL's own, without the history table and
 * without what belongs to extensions. Those of a phase are in the usual order of their kinds; what one needs may still
 * come after it. Names in `schema` are written without it. It knows the kinds that migrations make; what it leaves out
 * is found by `describeWhole`.
 */
export async function readDefinitions(client: Client, schema: string): Promise<readonly Definition[]> {
  // So PostgreSQL itself leaves the schema's name out, in regclass literals as well.
  await client.query(`BEGIN READ ONLY; SET LOCAL search_path TO ${quoteIdentifier(schema)}`)
  try {
    const before = await read(client, beforeRows)
    const after = [...(await read(client, afterRows)), ...(await read(client, privileges))]
    return [
      ...before.map((one): Definition => ({ phase: "before rows", ...one })),
      ...after.map((one): Definition => ({ phase: "after rows", ...one })),
    ]
  } finally {
    await client.query("ROLLBACK")
  }
}

/** Selects of `object`, `sql` and `oid`, in the order of their kinds. */
export type Kinds = readonly string[]

async function read(
  client: Client,
  kinds: Kinds,
): Promise<readonly { readonly object: string; readonly sql: string }[]> {
  const parts = kinds.map(
    (select, kind) => `SELECT ${kind} AS kind, each.* FROM (${select}) AS each(object, sql, made)`,
  )
  const { rows } = await client.query<{ object: string; sql: string }>(
    `SELECT object, sql FROM (${parts.join("\nUNION ALL\n")}) AS every WHERE sql IS NOT NULL ORDER BY kind, made, object, sql`,
  )
  return rows
}

/** Each object with an access list of its own: what follows ON, the list, and PostgreSQL's defaults for its kind. */
const objects = `
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || ${named("c.relname")} AS target, NULL AS part, c.relacl AS acl,
    acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner) AS usual, c.oid::bigint AS oid
    FROM ${relations("'r', 'p', 'v', 'm', 'S', 'f'")}
  UNION ALL
  SELECT 'TABLE ' || ${named("c.relname")}, format(' (%I)', a.attname), a.attacl, NULL::aclitem[], c.oid::bigint
    FROM ${relations("'r', 'p', 'v', 'm', 'f'")} JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
  UNION ALL
  SELECT CASE p.prokind WHEN 'p' THEN 'PROCEDURE ' ELSE 'FUNCTION ' END || p.oid::regprocedure, NULL, p.proacl, acldefault('f', p.proowner), p.oid::bigint
    FROM pg_namespace n JOIN pg_proc p ON p.pronamespace = n.oid AND ${own("pg_proc", "p.oid")} WHERE ${userSchema}
  UNION ALL
  SELECT 'TYPE ' || t.oid::regtype, NULL, t.typacl, acldefault('T', t.typowner), t.oid::bigint
    FROM pg_namespace n JOIN pg_type t ON t.typnamespace = n.oid AND ${own("pg_type", "t.oid")} WHERE ${userSchema}
  UNION ALL
  SELECT format('SCHEMA %I', n.nspname), NULL, n.nspacl, acldefault('n', n.nspowner), n.oid::bigint FROM pg_namespace n WHERE ${userSchema}`

const grantee = "CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
const option = "CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END"
const inList = (list: string, also = ""): string =>
  `EXISTS (SELECT FROM aclexplode(${list}) b WHERE b.grantee = a.grantee AND b.privilege_type = a.privilege_type${also})`

/** For each kind of object the word of ALTER DEFAULT PRIVILEGES, and the letter of acldefault(). */
const defaults = `
  SELECT concat('ALTER DEFAULT PRIVILEGES', CASE WHEN d.defaclrole <> (SELECT r.oid FROM pg_roles r WHERE r.rolname = current_user)
      THEN format(' FOR ROLE %I', pg_get_userbyid(d.defaclrole)) END, (SELECT format(' IN SCHEMA %I', n.nspname) FROM pg_namespace n WHERE n.oid = d.defaclnamespace)) AS head,
    CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS target,
    d.defaclacl AS acl, CASE WHEN d.defaclnamespace = 0 THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE d.defaclobjtype END, d.defaclrole)
      END AS usual, d.oid::bigint AS oid FROM pg_default_acl d`

/** COMMENT's words for the types of pg_identify_object. */
const commented = `CASE WHEN i.type LIKE '%column' THEN 'COLUMN' WHEN i.type LIKE '% constraint' THEN 'CONSTRAINT'
  WHEN i.type = 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END`

/** Comments, and who may do what. */
const privileges: Kinds = [
  `SELECT 'comment on ' || i.identity, format('COMMENT ON %s %s IS %L', ${commented},
      CASE WHEN i.type = 'domain constraint' THEN replace(i.identity, ' on ', ' ON DOMAIN ') ELSE i.identity END, d.description), d.objoid::bigint
    FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
    WHERE d.objoid >= 16384 AND i.type <> 'extension' AND i.identity NOT LIKE '%.\\_prisma\\_migrations%' ESCAPE '\\'
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')`,
  `SELECT 'privileges of ' || o.target, format('REVOKE %s%s ON %s FROM %s', a.privilege_type, o.part, o.target, ${grantee}), o.oid
    FROM (${objects}) o CROSS JOIN LATERAL aclexplode(o.usual) a WHERE o.acl IS NOT NULL AND NOT ${inList("o.acl")}`,
  // Whom the schema "public" is open to depends on the server's version, so that what was taken away cannot be seen.
  `SELECT 'privileges of public', 'REVOKE ALL ON SCHEMA public FROM PUBLIC', n.oid::bigint FROM pg_namespace n WHERE n.nspname = 'public'
    AND NOT EXISTS (SELECT FROM aclexplode(n.nspacl) a WHERE a.grantee = 0)`,
  `SELECT 'privileges of ' || o.target, format('GRANT %s%s ON %s TO %s%s', a.privilege_type, o.part, o.target, ${grantee}, ${option}), o.oid
    FROM (${objects}) o CROSS JOIN LATERAL aclexplode(o.acl) a WHERE NOT ${inList("o.usual", " AND b.is_grantable = a.is_grantable")}
      AND a.grantee <> a.grantor`,
  `SELECT 'default privileges', format('%s REVOKE %s ON %s FROM %s', o.head, a.privilege_type, o.target, ${grantee}), o.oid
    FROM (${defaults}) o CROSS JOIN LATERAL aclexplode(o.usual) a WHERE NOT ${inList("o.acl")}`,
  `SELECT 'default privileges', format('%s GRANT %s ON %s TO %s%s', o.head, a.privilege_type, o.target, ${grantee}, ${option}), o.oid
    FROM (${defaults}) o CROSS JOIN LATERAL aclexplode(o.acl) a WHERE NOT ${inList("o.usual", " AND b.is_grantable = a.is_grantable")}`,
]
