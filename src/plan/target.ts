import type { Client } from "../postgres/connect.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { Change } from "../sql/changes.js"
import type { RelationName } from "../sql/tree.js"
import type { RelationKind, Target } from "./planned.js"

/** What names mean at one moment of the plan: the catalog, and what the statements before would have changed in it. */
export interface Tables {
  target(name: RelationName): Target
  isNew(name: RelationName): boolean
  /** The table that an index belongs to. */
  tableOf(index: RelationName): RelationName | undefined
  /** Makes a statement's change in what names mean. */
  apply(change: Change): void
  /** Every migration begins with the URL's schema as its search path. */
  beginMigration(): void
}

/** Begins with what the catalog holds. */
export function tablesOf(found: readonly FoundRelation[], schema: string): Tables {
  const states = new Map<string, Target>()
  const owners = new Map<string, RelationName>()
  for (const { schema, name, table, kind, rows, bytes } of found) {
    const isIndex = table.name !== name || table.schema !== schema
    if (isIndex) owners.set(key({ schema, name }), table)
    states.set(key(table), { state: "existing", kind, rows, bytes })
  }
  let path: readonly string[] = [schema]

  const candidates = (name: RelationName) =>
    name.schema === undefined ? path.map((schema) => ({ schema, name: name.name })) : [name]
  const lookUp = <T>(map: ReadonlyMap<string, T>, name: RelationName) =>
    candidates(name).flatMap((each) => map.get(key(each)) ?? [])[0]
  const target = (name: RelationName) => lookUp(states, name) ?? absent
  const created = (name: RelationName) => ({ schema: path[0] ?? "", ...name })
  const known = (name: RelationName) => candidates(name).find((each) => states.has(key(each)))
  const drop = (name: RelationName) => {
    const dropped = known(name)
    if (dropped !== undefined) states.delete(key(dropped))
    return dropped
  }

  return {
    target,
    isNew: (name) => target(name).state === "new",
    tableOf: (index) => {
      const table = lookUp(owners, index)
      return table && index.schema === undefined ? { name: table.name } : table
    },
    apply(change) {
      switch (change.change) {
        case "create":
          if (change.ifNotExists && target(change.relation).state !== "absent") return
          states.set(key(created(change.relation)), { state: "new" })
          return
        case "create index": {
          const { schema } = known(change.table) ?? created(change.table)
          owners.set(key({ schema, name: change.index }), { ...change.table, schema })
          return
        }
        case "drop":
          drop(change.relation)
          return
        case "move": {
          const state = target(change.from)
          const moved = drop(change.from)
          if (moved !== undefined) states.set(key({ ...moved, ...change.to }), state)
          return
        }
        case "search path":
          path = change.schemas ?? [schema]
      }
    },
    beginMigration: () => {
      path = [schema]
    },
  }
}

const absent: Target = { state: "absent" }

const key = ({ schema, name }: RelationName): string => JSON.stringify([schema, name])

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
}

type Row = Record<"schema" | "name" | "table_schema" | "table_name" | "kind", string> &
  Record<"rows" | "bytes", string | null>

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
  return rows.map(({ schema, name, table_schema, table_name, kind, rows, bytes }) => ({
    schema,
    name,
    table: { schema: table_schema, name: table_name },
    kind: kinds[kind] ?? "table",
    rows: rows === null ? undefined : Number(rows),
    bytes: bytes === null ? undefined : Number(bytes),
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

/** Without pages in the statistics (relpages), reltuples means nothing, except in a table that has no page at all. */
const relationsQuery = ({ heap, whole }: Sizes): string => `
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
