import type { Client } from "./connect.js"
import { sqlstateOf } from "./sqlstate.js"

/** How large a table is. */
export interface TableSize {
  readonly schema: string
  readonly name: string
  /** PostgreSQL's estimate; null where the table was never analysed. */
  readonly rows: number | null
  /** With indexes, TOAST and partitions. */
  readonly bytes: number
}

/**
 * The sizes of all tables and materialized views that are not an extension's; a partitioned table has those of its
 * partitions. Where another session keeps readers out of a table, bytes are estimated from the last analysis.
 */
export async function readTableSizes(client: Client): Promise<readonly TableSize[]> {
  const read = async (measured: Measured) => {
    await client.query("BEGIN READ ONLY; SET LOCAL lock_timeout = '500ms'")
    try {
      return (await client.query<Row>(query(measured))).rows
    } finally {
      await client.query("ROLLBACK")
    }
  }
  const rows = await read(now).catch((error: unknown) =>
    sqlstateOf(error) === "55P03" ? read(lastAnalysed) : Promise.reject(error),
  )
  return rows.map(({ schema, name, rows, bytes }) => ({
    ...{ schema, name },
    rows: rows === null ? null : Number(rows),
    bytes: Number(bytes),
  }))
}

type Row = Record<"schema" | "name" | "bytes", string> & { readonly rows: string | null }

type Measured = Readonly<Record<"heap" | "whole", string>>
const now: Measured = { heap: "pg_relation_size(leaf.oid)", whole: "pg_total_relation_size(leaf.oid)" }
const lastAnalysed: Measured = { heap: "NULL::bigint", whole: "leaf.relpages::bigint * 8192" }

/** Without pages in the statistics (relpages) reltuples means nothing, except in a table that has no page at all. */
const query = ({ heap, whole }: Measured): string => `
  SELECT n.nspname AS schema, c.relname AS name, whole.rows, coalesce(whole.bytes, 0) AS bytes
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (
    SELECT CASE WHEN bool_and(part.rows IS NOT NULL) THEN sum(part.rows)::numeric(30, 0) END AS rows, sum(part.bytes) AS bytes
    FROM (
      SELECT CASE WHEN ${heap} = 0 THEN 0 WHEN leaf.relpages > 0 AND leaf.reltuples >= 0 THEN leaf.reltuples END AS rows,
        ${whole} AS bytes
      FROM (SELECT c.oid UNION SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf) AS member(oid)
      JOIN pg_class leaf ON leaf.oid = member.oid WHERE leaf.relkind IN ('r', 'm')
    ) AS part
  ) AS whole
  WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND c.relname <> '_prisma_migrations'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
  ORDER BY 1, 2`
