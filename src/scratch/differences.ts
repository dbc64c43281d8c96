import type { CatalogEntry, Column, Relation, Snapshot } from "./snapshot.js"

/** An object that a statement removed. */
export interface GoneObject {
  /** "table", "column", "view", "constraint", "trigger", "enum value", ... */
  readonly kind: string
  readonly schema: string | undefined
  readonly name: string
  /** What it belonged to, where that is a relation. */
  readonly table: Relation | undefined
  /** A relation's oid, or that of the table that it belonged to; 0 for others. */
  readonly oid: number
  /** A column's number in its table. */
  readonly column?: number
}

/** A column that is new, or whose type or NOT NULL changed. */
export interface ColumnChange {
  readonly table: Relation
  readonly name: string
  /** Its number in the table. */
  readonly number: number
  /** Undefined for a new column. */
  readonly before: Column | undefined
  readonly after: Column
}

/** Tables of which a column, constraint, trigger or the like is new, changed or gone. */
export function changedTables(before: Snapshot, after: Snapshot): ReadonlySet<number> {
  const changed = new Set<number>()
  const compare = (one: ReadonlyMap<string, Column | CatalogEntry>, other: typeof one): void => {
    for (const [key, { table, version }] of one) if (other.get(key)?.version !== version) changed.add(table)
  }
  compare(before.columns, after.columns)
  compare(after.columns, before.columns)
  compare(before.objects, after.objects)
  compare(after.objects, before.objects)
  return changed
}

/** The words for pg_class.relkind. */
export const relationKinds: Readonly<Record<string, string>> = {
  r: "table",
  p: "table",
  f: "foreign table",
  v: "view",
  m: "materialized view",
  S: "sequence",
  i: "index",
  I: "index",
}

/** What is gone, without what went with its table. */
export function goneBetween(before: Snapshot, after: Snapshot): readonly GoneObject[] {
  const isGone = (oid: number) => oid !== 0 && !after.relations.has(oid)
  // A change of a column's type and REINDEX CONCURRENTLY make some of them anew, under the same name.
  const named = new Set([...after.relations.values()].map(({ schema, name }) => JSON.stringify([schema, name])))
  const kept = new Set([...after.objects.values()].map(({ kind, name, table }) => JSON.stringify([kind, name, table])))
  const relations = [...before.relations.values()]
    .filter(({ oid, indexOf }) => isGone(oid) && !isGone(indexOf))
    .filter(({ schema, name, indexOf }) => indexOf === 0 || !named.has(JSON.stringify([schema, name])))
    .map(({ oid, schema, name, kind, indexOf }) => ({
      ...{ kind: relationKinds[kind] ?? "relation", schema, name, oid },
      table: before.relations.get(indexOf),
    }))
  const columns = [...before.columns]
    .filter(([key, { table }]) => !after.columns.has(key) && !isGone(table))
    .map(([key, { table, name }]) => ({
      ...{ kind: "column", schema: undefined, name, table: before.relations.get(table), oid: table },
      column: Number(key.split(".")[1]),
    }))
  const objects = [...before.objects]
    .filter(([key, { table, kind }]) => kind !== "parent" && !after.objects.has(key) && !isGone(table))
    .filter(([, { kind, name, table }]) => !kept.has(JSON.stringify([kind, name, table])))
    .filter(([, { kind, name }]) => kind !== "enum value" || kept.has(JSON.stringify(["enum", enumOf(name), 0])))
    .map(([, { kind, name, table }]) => ({
      ...{ kind, schema: undefined, name, table: before.relations.get(table), oid: table },
    }))
  return [...relations, ...columns, ...objects]
}

/** The type of an enum value's name. */
const enumOf = (name: string): string => name.replace(/\.E?'.*$/s, "")

/** Columns that are new, or whose type or NOT NULL changed, of tables that existed. */
export function columnChanges(before: Snapshot, after: Snapshot): readonly ColumnChange[] {
  return [...after.columns].flatMap(([key, now]) => {
    const table = before.relations.get(now.table)
    const was = before.columns.get(key)
    const isSame = was !== undefined && was.type === now.type && was.notNull === now.notNull
    return table === undefined || isSame
      ? []
      : [{ table, name: now.name, number: Number(key.split(".")[1]), before: was, after: now }]
  })
}
