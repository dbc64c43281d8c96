import type { Client } from "../postgres/connect.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { RelationName } from "../sql/tree.js"
import type { RelationKind, Target } from "./planned.js"

/** A relation in the database; for an index, its table. */
export interface FoundRelation {
  /** The names that were looked for. */
  readonly schema: string
  readonly name: string
  /** The relation itself, or the index's table. */
  readonly table: Required<RelationName>
  readonly kind: RelationKind
  readonly rows: number | undefined
  readonly bytes: number | undefined
  readonly partitions: number
  readonly dependents: readonly string[]
}

/** A relation as the target of a statement. */
export const existing = ({ kind, rows, bytes, partitions, dependents }: FoundRelation): Target => ({
  state: "existing",
  ...{ kind, rows, bytes, partitions, dependents },
})

type Row = Record<"schema" | "name" | "table_schema" | "table_name" | "kind", string> &
  Record<"rows" | "bytes", string | null> &
  Record<"partitions" | "dependents", string>

/** Names to look for, and the schemas to look in. */
export interface Wanted {
  readonly names: readonly string[]
  readonly schemas: readonly string[]
}

/**
 * Looks names up in the catalog. PostgreSQL takes an ACCESS SHARE lock to measure a relation; that would wait for
 * somebody's ACCESS EXCLUSIVE lock, so then the sizes are left out.
 */
export async function readRelations(client: Client, wanted: Wanted): Promise<readonly FoundRelation[]> {
  if (wanted.names.length === 0) return []
  const rows = await read(client, wanted, withSizes).catch((error: unknown) => {
    if (sqlstateOf(error) === "55P03") return read(client, wanted, withoutSizes)
    throw error
  })
  return rows.map(({ schema, name, table_schema, table_name, kind, rows, bytes, partitions, dependents }) => ({
    schema,
    name,
    table: { schema: table_schema, name: table_name },
    kind: kinds[kind] ?? "table",
    rows: rows === null ? undefined : Number(rows),
    bytes: bytes === null ? undefined : Number(bytes),
    partitions: Number(partitions),
    dependents: JSON.parse(dependents) as readonly string[],
  }))
}

async function read(client: Client, { names, schemas }: Wanted, sizes: Sizes) {
  await client.query("BEGIN READ ONLY; SET LOCAL lock_timeout = '500ms'")
  try {
    return (await client.query<Row>({ text: relationsQuery(sizes), values: [names, schemas] })).rows
  } finally {
    await client.query("ROLLBACK")
  }
}

const kinds: Readonly<Record<string, RelationKind>> = {
  p: "partitioned table",
  f: "foreign table",
  m: "materialized view",
  v: "view",
  S: "sequence",
}

type Sizes = Readonly<Record<"heap" | "whole", string>>
const withSizes: Sizes = { heap: "pg_relation_size(leaf.oid)", whole: "pg_total_relation_size(leaf.oid)" }
const withoutSizes: Sizes = { heap: "NULL::bigint", whole: "NULL::bigint" }

/** What hangs on the table `t`, in words: it is locked, dropped or changed together with it, or it stops working. */
const dependents = `
  SELECT format('foreign key %I of %s', k.conname, k.conrelid::regclass) FROM pg_constraint k
    WHERE k.contype = 'f' AND k.confrelid = t.oid AND k.conrelid <> t.oid AND k.conparentid = 0
  UNION SELECT format(CASE v.relkind WHEN 'm' THEN 'materialized view %s' ELSE 'view %s' END, v.oid::regclass)
    FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class v ON v.oid = r.ev_class
    WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
      AND v.oid <> t.oid AND v.relkind IN ('v', 'm')
  UNION SELECT format('trigger %I', g.tgname) FROM pg_trigger g WHERE g.tgrelid = t.oid AND NOT g.tgisinternal
  UNION SELECT format('publication %I', p.pubname) FROM pg_publication_tables p
    WHERE p.schemaname = own.nspname AND p.tablename = t.relname`

/** Without pages in the statistics (relpages), reltuples means nothing, except in a table that has no page at all. */
const relationsQuery = ({ heap, whole }: Sizes): string => `
  SELECT n.nspname AS schema, c.relname AS name, own.nspname AS table_schema, t.relname AS table_name, t.relkind AS kind,
    whole.rows, whole.bytes,
    (SELECT count(*) FROM pg_partition_tree(t.oid) WHERE isleaf AND relid <> t.oid) AS partitions,
    (SELECT coalesce(json_agg(what ORDER BY what), '[]') FROM (${dependents}) AS d(what)) AS dependents
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_index i ON i.indexrelid = c.oid
  JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
  JOIN pg_namespace own ON own.oid = t.relnamespace
  CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_and(part.rows IS NOT NULL) THEN sum(part.rows)::numeric(30, 0) END AS rows, sum(part.bytes) AS bytes
    FROM (
      SELECT CASE WHEN ${heap} = 0 THEN 0 WHEN leaf.relpages > 0 AND leaf.reltuples >= 0 THEN leaf.reltuples END AS rows,
        ${whole} AS bytes
      FROM (SELECT t.oid UNION SELECT relid FROM pg_partition_tree(t.oid) WHERE isleaf) AS member(oid)
      JOIN pg_class leaf ON leaf.oid = member.oid
      WHERE leaf.relkind IN ('r', 'm')
    ) AS part
  ) AS whole
  WHERE c.relname = ANY ($1) AND n.nspname = ANY ($2)`

/**
 * The server's standbys and the replication slots that concern this database, in words; what a deploy writes reaches them
 * as well. Which are synchronous is shown to roles with pg_read_all_stats. Empty where none of it can be read.
 */
export async function readReplicas(client: Client): Promise<readonly string[]> {
  try {
    return (await client.query<{ what: string }>(replicas)).rows.map(({ what }) => what)
  } catch (error) {
    if (sqlstateOf(error) !== undefined) return []
    throw error
  }
}

/** A walsender without a slot is a standby, or a base backup. Source: PostgreSQL's documentation, pg_stat_replication. */
const replicas = `
  SELECT CASE s.slot_type WHEN 'logical' THEN 'logical slot ' ELSE 'standby slot ' END || quote_ident(s.slot_name) ||
    CASE WHEN NOT s.active THEN ' (not connected)' WHEN r.sync_state IN ('sync', 'quorum') THEN ' (synchronous)' ELSE '' END AS what
  FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid
  WHERE NOT s.temporary AND (s.database IS NULL OR s.database = current_database())
  UNION ALL
  SELECT concat_ws(' ', 'standby', quote_ident(nullif(r.application_name, '')),
    CASE WHEN r.sync_state IN ('sync', 'quorum') THEN '(synchronous)' END)
  FROM pg_stat_replication r
  WHERE r.state IS DISTINCT FROM 'backup' AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.active_pid = r.pid)
  ORDER BY what`
