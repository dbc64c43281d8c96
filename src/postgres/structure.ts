import type { Client } from "./connect.js"

/**
 * The tables and enums of a database with what can hold data in them. Each has an identity that a rename does not
 * change, so that the same object can be found again under another name in the same database.
 */
export interface Structure {
  readonly tables: readonly Table[]
  readonly enums: readonly EnumType[]
}

/** A table, partitioned or not. */
export interface Table {
  readonly id: number
  readonly schema: string
  readonly name: string
  readonly columns: readonly Column[]
  /** What belongs to it and has a name of its own. */
  readonly parts: readonly Part[]
}

export interface Column {
  readonly id: number
  readonly name: string
  /** As format_type prints it under the session's search path. */
  readonly type: string
  /** The enum that its values, or its array's elements, are of. */
  readonly enum: Qualified | null
  /** The table that a foreign key of this column alone references. */
  readonly references: Qualified | null
}

export interface Qualified {
  readonly schema: string
  readonly name: string
}

/** A constraint, an index that belongs to no constraint, or a sequence that one of the columns owns. */
export interface Part {
  readonly id: number
  readonly kind: "constraint" | "index" | "sequence"
  readonly name: string
  /** In its order; none for expressions. */
  readonly columns: readonly string[]
}

export interface EnumType {
  readonly id: number
  readonly schema: string
  readonly name: string
  readonly values: readonly { readonly id: number; readonly name: string }[]
}

/** Not a part of an extension. */
const own = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`

const list = (select: string): string => `coalesce((${select}), '[]')`
const columnNames = (numbers: string): string =>
  list(`SELECT json_agg(a.attname ORDER BY k.place) FROM unnest(${numbers}) WITH ORDINALITY AS k(number, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.number`)

const parts = `
  SELECT k.oid::int AS id, 'constraint' AS kind, k.conname AS name, ${columnNames("k.conkey")} AS columns
  FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')
  UNION ALL
  SELECT i.oid::int, 'index', i.relname, ${columnNames("x.indkey::int2[]")}
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = c.oid
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x'))
  UNION ALL
  SELECT s.oid::int, 'sequence', s.relname, ${columnNames("ARRAY[d.refobjsubid::int2]")}
  FROM pg_depend d JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.deptype IN ('a', 'i')`

const columns = `
  SELECT a.attnum::int AS id, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
    (SELECT json_build_object('schema', tn.nspname, 'name', t.typname) FROM pg_type t JOIN pg_namespace tn ON tn.oid = t.typnamespace
     WHERE t.typtype = 'e' AND t.oid IN (a.atttypid, (SELECT u.typelem FROM pg_type u WHERE u.oid = a.atttypid))) AS enum,
    (SELECT json_build_object('schema', fn.nspname, 'name', f.relname) FROM pg_constraint k
     JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
     WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] LIMIT 1) AS references
  FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`

const isUsers = "n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"

const tables = `
  SELECT json_agg(json_build_object('id', c.oid::int, 'schema', n.nspname, 'name', c.relname,
    'columns', ${list(`SELECT json_agg(row_to_json(each)) FROM (${columns}) AS each`)},
    'parts', ${list(`SELECT json_agg(row_to_json(each)) FROM (${parts}) AS each`)}) ORDER BY n.nspname, c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p') AND c.relname <> '_prisma_migrations' AND ${isUsers} AND ${own("pg_class", "c.oid")}`

const values = `
  SELECT json_agg(json_build_object('id', v.oid::int, 'name', v.enumlabel) ORDER BY v.enumsortorder)
  FROM pg_enum v WHERE v.enumtypid = t.oid`

const enums = `
  SELECT json_agg(json_build_object('id', t.oid::int, 'schema', n.nspname, 'name', t.typname, 'values', ${list(values)})
    ORDER BY n.nspname, t.oid)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype = 'e' AND ${isUsers} AND ${own("pg_type", "t.oid")}`

const query = `SELECT json_build_object('tables', ${list(tables)}, 'enums', ${list(enums)})::text AS structure`

/** Reads it, in all schemas but PostgreSQL's own; without what belongs to extensions, and without the history table. */
export async function readStructure(client: Client): Promise<Structure> {
  const [row] = (await client.query<{ structure: string }>(query)).rows
  return JSON.parse(row?.structure ?? "")
}
