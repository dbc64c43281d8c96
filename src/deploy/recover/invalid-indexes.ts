import type { Client } from "../../postgres/connect.js"
import type { Statement } from "../../sql/parse.js"
import { type Resumable, resumable } from "../../sql/resumable.js"
import { quoted, type RelationName } from "../../sql/tree.js"

/** An index as the catalog has it; a failed or unfinished concurrent build leaves an invalid one. */
export async function indexState(client: Client, index: RelationName): Promise<"absent" | "valid" | "invalid"> {
  const { rows } = await client.query<{ valid: string }>({
    text: "SELECT i.indisvalid AND i.indisready AS valid FROM pg_index i WHERE i.indexrelid = to_regclass($1)",
    values: [quoted(index)],
  })
  if (rows[0] === undefined) return "absent"
  return rows[0].valid === "t" ? "valid" : "invalid"
}

/** The invalid indexes that a failed statement left behind, in a sentence; undefined where there are none. */
export async function leftBehind(client: Client, { node }: Statement): Promise<string | undefined> {
  const work = resumable(node)
  if (work?.kind === "create index" && work.index !== undefined) {
    if ((await indexState(client, work.index)) !== "invalid") return undefined
    return `It left the invalid index ${quoted(work.index)}, which --resume drops.`
  }
  if (work?.kind !== "create index" && work?.kind !== "reindex") return undefined
  const left = work.kind === "reindex" ? await leftByReindex(client, work) : await invalidOn(client, work.table)
  if (left.length === 0) return undefined
  const fate = work.kind === "reindex" ? "which --resume drops" : "to be dropped by hand"
  return `It left ${left.length > 1 ? "the invalid indexes" : "the invalid index"} ${left.join(", ")}, ${fate}.`
}

/** The index that CREATE INDEX IF NOT EXISTS did not build because it exists, although it is invalid. */
export async function passedOver(client: Client, { node }: Statement): Promise<RelationName | undefined> {
  const work = resumable(node)
  if (work?.kind !== "create index" || work.index === undefined || !work.ifNotExists) return undefined
  return (await indexState(client, work.index)) === "invalid" ? work.index : undefined
}

const named = `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace`

async function invalidOn(client: Client, table: RelationName): Promise<readonly string[]> {
  const { rows } = await client.query<{ name: string }>({
    text: `${named} WHERE NOT i.indisvalid AND i.indrelid = to_regclass($1) ORDER BY name`,
    values: [quoted(table)],
  })
  return rows.map(({ name }) => name)
}

/** SQL for a relation and, where it is partitioned, its partitions; $1 is its name. */
const family = "SELECT to_regclass($1) AS oid UNION SELECT relid FROM pg_partition_tree(to_regclass($1))"

/**
 * REINDEX CONCURRENTLY builds beside the old index, under its name and `_ccnew`; the old one's then ends in `_ccold`. Of
 * a table it builds those of the TOAST table as well, and of what is partitioned those of each partition.
 */
export async function leftByReindex(
  client: Client,
  { of, target }: Extract<Resumable, { kind: "reindex" }>,
): Promise<readonly string[]> {
  const whose = {
    many: "",
    table: `AND i.indrelid IN (SELECT unnest(ARRAY[oid, reltoastrelid]) FROM pg_class WHERE oid IN (${family}))`,
    index: `AND i.indrelid IN (SELECT indrelid FROM pg_index WHERE indexrelid IN (${family}))`,
  }
  const { rows } = await client.query<{ name: string }>({
    text: `${named} WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$' ${whose[target ? of : "many"]} ORDER BY name`,
    values: target && of !== "many" ? [quoted(target)] : [],
  })
  return rows.map(({ name }) => name)
}

/** True: detaching was started and not finished; false: it is attached; undefined: not a partition of this table. */
export async function detachPending(
  client: Client,
  { table, partition }: Extract<Resumable, { kind: "detach partition" }>,
): Promise<boolean | undefined> {
  const { rows } = await client.query<{ pending: string }>({
    // The column is there since PostgreSQL 14, as the statement is.
    text: "SELECT coalesce(to_jsonb(pg_inherits)->>'inhdetachpending' = 'true', false) AS pending FROM pg_inherits WHERE inhparent = to_regclass($1) AND inhrelid = to_regclass($2)",
    values: [quoted(table), quoted(partition)],
  })
  return rows[0] === undefined ? undefined : rows[0].pending === "t"
}
