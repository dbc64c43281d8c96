import { randomBytes, randomUUID } from "node:crypto"
import * as z from "zod/mini"
import type { Client, Enums, Field } from "./module.js"

/** A field of a model, with the column that holds it. */
export interface Pair {
  readonly field: Field
  readonly column: Column
}

/** A model's fields with the columns that hold them. */
export const pairs = (fields: readonly Field[], columns: readonly Column[]): readonly Pair[] =>
  fields.flatMap((field) => {
    const column = columns.find(({ name }) => name === (field.dbName ?? field.name))
    return column && field.kind !== "object" ? [{ field, column }] : []
  })

const column = z.object({
  relation: z.string(),
  writable: z.boolean(),
  name: z.string(),
  type: z.string(),
  length: z.nullable(z.number()),
  required: z.boolean(),
  generated: z.boolean(),
  key: z.boolean(),
  nullable: z.boolean(),
  /** An enum's values. */
  labels: z.array(z.string()),
})

/** A column in the catalog. */
export type Column = z.infer<typeof column>

const columnsQuery = `
SELECT n.nspname || '.' || c.relname AS relation,
       c.relkind IN ('r', 'p') AS writable,
       a.attname::text AS name,
       coalesce(base.typname, t.typname)::text AS type,
       CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END AS length,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       coalesce(a.attnum = ANY (i.indkey::int2[]), false) AS key,
       NOT a.attnotnull AS nullable,
       ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) AS labels
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type base ON base.oid = t.typbasetype
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')`

/** Every table's and view's columns, by "schema.relation". */
export async function readColumns(client: Client): Promise<ReadonlyMap<string, readonly Column[]>> {
  const rows = z.parse(z.array(column), await client.$queryRawUnsafe(columnsQuery))
  const found = new Map<string, Column[]>()
  for (const row of rows) found.set(row.relation, [...(found.get(row.relation) ?? []), row])
  return found
}

/** Texts that a column's type accepts; other types accept any text. */
const texts: Readonly<Record<string, () => string>> = {
  uuid: randomUUID,
  inet: () => "192.0.2.1",
  bit: () => "1",
  varbit: () => "1",
  xml: () => "<sample/>",
}

/** A made-up value for a column, as Prisma Client accepts it. */
export function sample(field: Field, column: Column, enums: Enums): unknown {
  if (column.type.startsWith("_")) return []
  if (field.kind === "enum") return Object.keys(enums[field.type] ?? {})[0] ?? column.labels[0]
  switch (field.type) {
    case "Int":
      return 1
    case "BigInt":
      return 1n
    case "Float":
      return 1.5
    case "Decimal":
      return "1"
    case "Boolean":
      return true
    case "DateTime":
      return new Date()
    case "Json":
      return {}
    case "Bytes":
      return new Uint8Array([1])
    default:
      return (
        texts[column.type]?.() ??
        randomBytes(16)
          .toString("hex")
          .slice(0, column.length ?? 32)
      )
  }
}
