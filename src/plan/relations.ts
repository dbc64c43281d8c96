import type { Client } from "../postgres/connect.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { RelationName } from "../sql/relation.js"
import type { RelationKind } from "./planned.js"

/** A relation in the database; for an index, its table. */
export interface FoundRelation {
  /** As it was looked for. */
  readonly schema: string
  readonly name: string
  /** The relation itself, or the index's table. */
  readonly table: Required<RelationName>
  readonly kind: RelationKind
  readonly rows: number | undefined
  readonly bytes: number | undefined
}

type Row = Record<"schema" | "name" | "table_schema" | "table_name" | "kind", string> &
  Record<"rows" | "bytes", string | null>

/**
 * Looks names up in schemas. PostgreSQL takes an ACCESS SHARE lock to tell a size; behind an ACCESS EXCLUSIVE one that
 * would wait, so then the sizes are left out.
 */
export async function readRelations(
  client: Client,
  names: readonly string[],
  schemas: readonly string[],
): Promise<readonly FoundRelation[]> {
  if (names.length === 0) return []
  const rows = await read(client, names, schemas, withSizes).catch((error: unknown) => {
    if (sqlstateOf(error) === "55P03") return read(client, names, schemas, withoutSizes)
    throw error
  })
  return rows.map(({ schema, name, table_schema, table_name, kind, rows, bytes }) => ({
    schema,
    name,
    table: { schema: table_schema, name: table_name },
    kind: kinds[kind] ?? "table",
    rows: rows === null ? undefined : Number(rows),
    bytes: bytes === null ? undefined : Number(bytes),
  }))
}

async function read(client: Client, names: readonly string[], schemas: readonly string[], sizes: Sizes) {
  await client.query("BEGIN READ ONLY; SET LOCAL lock_timeout = '500ms'")
  try {
    return (await client.query<Row>({ text: query(sizes), values: [names, schemas] })).rows
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

/** Without pages in the statistics (relpages), reltuples means nothing, except in a table that has no page at all. */
const query = ({ heap, whole }: Sizes): string => `
  SELECT n.nspname AS schema, c.relname AS name, own.nspname AS table_schema, t.relname AS table_name, t.relkind AS kind,
    whole.rows, whole.bytes
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
