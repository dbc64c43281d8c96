import { randomBytes, randomUUID } from "node:crypto"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import {
  type Client,
  type Delegate,
  dataModelOf,
  delegateName,
  type Enums,
  type Field,
  type LoadedClient,
  type Row,
} from "./module.js"

/** What was done with a model: rows written as well, or only read, and why. */
type ModelResult =
  | { readonly model: string; readonly state: "read and written" }
  | { readonly model: string; readonly state: "read"; readonly why: string }

/** What the client passes on of a server error. */
const serverError = z.object({
  meta: z.object({
    driverAdapterError: z.object({ cause: z.object({ originalCode: z.string(), originalMessage: z.string() }) }),
  }),
})

const checkViolation = "23514"

/** Thrown to roll back a transaction whose work is done. */
class RollBack extends Error {}

const delegate = z.custom<Delegate>((value) => typeof value === "object" && value !== null && "findFirst" in value)

/**
 * Creates, reads, updates and deletes a made-up row of every model, each in a transaction that is rolled back. Foreign
 * keys and triggers are off meanwhile (session_replication_role), so that a row needs no others; check constraints are
 * not, and a model whose constraints refuse the made-up row is only read.
 * Errors: L1322 the client and the database do not match.
 */
export async function exerciseModels(loaded: LoadedClient, schema: string): Promise<readonly ModelResult[]> {
  const dataModel = dataModelOf(loaded.client)
  const columns = await readColumns(loaded.client)
  const results: ModelResult[] = []
  for (const [model, { dbName, fields, schema: own }] of Object.entries(dataModel.models)) {
    const relation = columns.get(`${own ?? schema}.${dbName ?? model}`) ?? []
    results.push(await exercise(loaded, model, pairs(fields, relation)))
  }
  return results
}

interface Pair {
  readonly field: Field
  readonly column: Column
}

/** The model's fields with the columns that hold them. */
const pairs = (fields: readonly Field[], columns: readonly Column[]): readonly Pair[] =>
  fields.flatMap((field) => {
    const column = columns.find(({ name }) => name === (field.dbName ?? field.name))
    return column && field.kind !== "object" ? [{ field, column }] : []
  })

async function exercise({ client, enums }: LoadedClient, model: string, all: readonly Pair[]): Promise<ModelResult> {
  const name = delegateName(model)
  const made = (chosen: readonly Pair[]): Row =>
    Object.fromEntries(chosen.map(({ field, column }) => [field.name, sample(field, column, enums)]))
  try {
    await z.parse(delegate, client[name]).findFirst()
    if (!all.every(({ column }) => column.writable)) return { model, state: "read", why: "it is a view" }
    await client.$transaction(async (transaction) => {
      await transaction.$executeRawUnsafe("SET LOCAL session_replication_role = replica")
      const rows = z.parse(delegate, transaction[name])
      const created = await rows.create({ data: made(all.filter(({ column }) => column.required)) })
      const keys = all.filter(({ column }) => column.key)
      const where: Row = Object.fromEntries(keys.map(({ field }) => [field.name, created[field.name]]))
      const change = made(all.filter(({ column }) => !column.key && !column.generated && column.required).slice(0, 1))
      const failed = (what: string) => new LockstepError("L1322", `${model}: ${what}`)
      if ((await rows.findFirst({ where })) === null) throw failed("the row that was created is not found")
      if (Object.keys(change).length > 0 && (await rows.updateMany({ where, data: change })).count !== 1)
        throw failed("the row was not updated")
      if ((await rows.deleteMany({ where })).count !== 1) throw failed("the row was not deleted")
      if ((await rows.findFirst({ where })) !== null) throw failed("the row that was deleted is still found")
      throw new RollBack()
    })
  } catch (cause) {
    if (cause instanceof RollBack) return { model, state: "read and written" }
    if (cause instanceof LockstepError) throw cause
    const refusal = z.safeParse(serverError, cause).data?.meta.driverAdapterError.cause
    if (refusal?.originalCode === checkViolation)
      return { model, state: "read", why: `a made-up row is refused: ${refusal.originalMessage}` }
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new LockstepError("L1322", `the client cannot work with ${model}`, {
      hint: message.trim(),
      cause,
      next: "`lockstep generate`, and see what differs: `lockstep diff history schema`",
    })
  }
  return { model, state: "read and written" }
}

const column = z.object({
  relation: z.string(),
  writable: z.boolean(),
  name: z.string(),
  type: z.string(),
  length: z.nullable(z.number()),
  required: z.boolean(),
  generated: z.boolean(),
  key: z.boolean(),
  label: z.nullable(z.string()),
})

/** A column in the catalog. */
type Column = z.infer<typeof column>

const columnsQuery = `
SELECT n.nspname || '.' || c.relname AS relation,
       c.relkind IN ('r', 'p') AS writable,
       a.attname::text AS name,
       coalesce(base.typname, t.typname)::text AS type,
       CASE WHEN a.atttypmod > 4 AND t.typname IN ('varchar', 'bpchar') THEN a.atttypmod - 4 END AS length,
       a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' AS required,
       a.attgenerated <> '' OR a.attidentity = 'a' AS generated,
       coalesce(a.attnum = ANY (i.indkey::int2[]), false) AS key,
       (SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder LIMIT 1) AS label
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_type base ON base.oid = t.typbasetype
LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')`

/** Every table's and view's columns, by "schema.relation". */
async function readColumns(client: Client): Promise<ReadonlyMap<string, readonly Column[]>> {
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
function sample(field: Field, column: Column, enums: Enums): unknown {
  if (column.type.startsWith("_")) return []
  if (field.kind === "enum") return Object.keys(enums[field.type] ?? {})[0] ?? column.label
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
