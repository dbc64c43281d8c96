import * as z from "zod/mini"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"
import {
  type Client,
  type Delegate,
  dataModelOf,
  delegateName,
  type LoadedClient,
  type Row,
  type Transaction,
} from "./module.js"
import { type Column, type Pair, pairs, readColumns, sample } from "./rows.js"
import { notNullViolation, type Reason, type Suspects, suspectsOf } from "./suspects.js"

/** A model of the client, with the columns that its fields had in the database for which the client was generated. */
export interface KnownModel {
  readonly model: string
  readonly schema: string
  readonly table: string
  readonly all: readonly Pair[]
}

/** What the client cannot do. */
export interface Failure {
  readonly model: string
  /** Undefined where it is the model as a whole, or a column that the client does not know. */
  readonly field: string | undefined
  readonly operation: "read" | "create" | "update"
  /** The value with which it fails: an enum's, or NULL; undefined where it fails with every value. */
  readonly value: string | undefined
  readonly message: string
  /** Where no field is named: the columns that have changed in a way that explains the error. */
  readonly suspects?: Suspects | undefined
}

/** The client's models with their tables' columns as they are now. */
export async function knownModels({ client }: LoadedClient, schema: string): Promise<readonly KnownModel[]> {
  const columns = await readColumns(client)
  return Object.entries(dataModelOf(client).models).map(([model, { dbName, fields, schema: own }]) => {
    const place = { schema: own ?? schema, table: dbName ?? model }
    return { model, ...place, all: pairs(fields, columns.get(`${place.schema}.${place.table}`) ?? []) }
  })
}

/**
 * Reads, creates and updates a made-up row of each model with all of its fields, and with each value of an enum; where
 * that fails, field by field. Every row is rolled back. Foreign keys and triggers are off meanwhile, for which the role
 * must be a superuser.
 */
export async function failuresOf(loaded: LoadedClient, models: readonly KnownModel[]): Promise<readonly Failure[]> {
  const columns = await readColumns(loaded.client)
  const found: Failure[] = []
  for (const one of models) {
    const now = columns.get(`${one.schema}.${one.table}`) ?? []
    found.push(...(await readFailures(loaded, one)), ...(await writeFailures(loaded, one, now)))
  }
  return found
}

/**
 * What the client cannot read of rows that only the new schema allows: NULL where it was forbidden, new enum values.
 */
export async function newRowFailures(loaded: LoadedClient, models: readonly KnownModel[]): Promise<readonly Failure[]> {
  const columns = await readColumns(loaded.client)
  const found: Failure[] = []
  for (const one of models) {
    const now = columns.get(`${one.schema}.${one.table}`) ?? []
    for (const { field, column } of one.all) {
      for (const value of newValues(
        column,
        now.find(({ name }) => name === column.name),
      )) {
        const reason = await attempt(loaded.client, async (transaction) => {
          const { rows, where } = await created(loaded, one, { transaction, chosen: required(one) })
          await transaction.$executeRawUnsafe(
            `UPDATE ${relationOf(one)} SET ${quoteIdentifier(column.name)} = ${value}`,
          )
          const row = await rows.findFirst({ where })
          if (row?.[field.name] === null) throw new Error("the client returns null, which its types exclude")
        })
        if (reason !== undefined)
          found.push({ model: one.model, field: field.name, operation: "read", value, message: reason.message })
      }
    }
  }
  return found
}

/** As SQL. */
function newValues(before: Column, now: Column | undefined): readonly string[] {
  if (now === undefined) return []
  const labels = now.type === before.type ? now.labels.filter((label) => !before.labels.includes(label)) : []
  return [...(now.nullable && !before.nullable ? ["NULL"] : []), ...labels.map(quoteLiteral)]
}

async function readFailures({ client }: LoadedClient, { model, all }: KnownModel): Promise<readonly Failure[]> {
  const read = (select?: Row) =>
    reasonOf(async () => {
      await z.parse(delegate, client[delegateName(model)]).findFirst(select && { select })
    })
  const whole = await read()
  if (whole === undefined) return []
  const failures: Failure[] = []
  for (const { field } of all) {
    const reason = await read({ [field.name]: true })
    if (reason !== undefined)
      failures.push({ model, field: field.name, operation: "read", value: undefined, message: reason.message })
  }
  const isWhole = failures.length === 0 || failures.length === all.length
  return isWhole ? [{ model, field: undefined, operation: "read", value: undefined, message: whole.message }] : failures
}

const required = ({ all }: KnownModel): readonly Pair[] =>
  all.filter(({ column }) => column.required && !column.generated)
const optional = ({ all }: KnownModel): readonly Pair[] =>
  all.filter(({ column }) => !column.required && !column.generated && !column.key)

async function writeFailures(
  loaded: LoadedClient,
  one: KnownModel,
  now: readonly Column[],
): Promise<readonly Failure[]> {
  const { model, all } = one
  if (all.length === 0 || !all.every(({ column }) => column.writable)) return []
  const write = (chosen: readonly Pair[], changes: readonly Row[]) =>
    attempt(loaded.client, async (transaction) => {
      const { rows, where } = await created(loaded, one, { transaction, chosen })
      for (const data of changes) await rows.updateMany({ where, data })
    })
  const updates = all.filter(({ column }) => !column.key && !column.generated)
  const made = updates.map(({ field, column }) => ({ [field.name]: sample(field, column, loaded.enums) }))
  const values = updates.flatMap(({ field, column }) =>
    field.kind === "enum" && !column.type.startsWith("_")
      ? Object.keys(loaded.enums[field.type] ?? {}).map((value) => ({ field: field.name, value }))
      : [],
  )
  const everything = [...made, ...values.map(({ field, value }) => ({ [field]: value }))]
  const minimal = await write(required(one), [])
  const whole = await write([...required(one), ...optional(one)], everything)
  if (minimal === undefined && whole === undefined) return []
  const asWhole = (reason: Reason): readonly Failure[] => {
    const suspects = suspectsOf(all, now, reason)
    return [{ model, field: undefined, operation: "create", value: undefined, message: reason.message, suspects }]
  }
  if (minimal !== undefined) return asWhole(minimal)
  const failures: Failure[] = []
  for (const { field, column } of updates) {
    const data = { [field.name]: sample(field, column, loaded.enums) }
    const reason = await write(required(one), [data])
    if (reason !== undefined)
      failures.push({ model, field: field.name, operation: "update", value: undefined, message: reason.message })
  }
  const failed = new Set(failures.map(({ field }) => field))
  for (const { field, value } of values.filter((each) => !failed.has(each.field))) {
    const reason = await write(required(one), [{ [field]: value }])
    if (reason !== undefined) failures.push({ model, field, operation: "update", value, message: reason.message })
  }
  return failures.length === 0 && whole !== undefined ? asWhole(whole) : failures
}

interface Creation {
  readonly transaction: Transaction
  readonly chosen: readonly Pair[]
}

const relationOf = ({ schema, table }: KnownModel): string => `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`

/** Creates a row as the table's only one; returns the model's methods and what finds the row again. */
async function created({ enums }: LoadedClient, one: KnownModel, { transaction, chosen }: Creation) {
  const { model, all } = one
  // Rows that the history itself has written may have the same keys.
  await transaction.$executeRawUnsafe(`DELETE FROM ${relationOf(one)}`)
  const rows = z.parse(delegate, transaction[delegateName(model)])
  const data = Object.fromEntries(chosen.map(({ field, column }) => [field.name, sample(field, column, enums)]))
  const keys = all.filter(({ column }) => column.key).map(({ field }) => field.name)
  // Without a primary key every row of the transaction is meant.
  const selected = keys.length > 0 ? keys : all.slice(0, 1).map(({ field }) => field.name)
  const row = await rows.create({ data, select: Object.fromEntries(selected.map((key) => [key, true])) })
  return { rows, where: Object.fromEntries(keys.map((key) => [key, row[key]])) }
}

const delegate = z.custom<Delegate>((value) => typeof value === "object" && value !== null && "findFirst" in value)

class RollBack extends Error {}

/** Does work in a transaction that is rolled back; resolves to why it failed. */
async function attempt(client: Client, work: (transaction: Transaction) => Promise<void>): Promise<Reason | undefined> {
  return await reasonOf(() =>
    client.$transaction(async (transaction) => {
      await transaction.$executeRawUnsafe("SELECT set_config('session_replication_role', 'replica', true)")
      await work(transaction)
      throw new RollBack()
    }),
  )
}

/** What the client passes on of a server error. */
const serverError = z.object({
  meta: z.object({
    driverAdapterError: z.object({ cause: z.object({ originalMessage: z.string(), originalCode: z.string() }) }),
  }),
})

/** Prisma's own codes, for clients with a native engine. Source: Prisma's "Error message reference". */
const sqlstates: Readonly<Record<string, string>> = { P2011: notNullViolation, P2022: "42703" }

/** Why work failed, in the server's words or the client's last line; undefined where it did not. */
async function reasonOf(work: () => Promise<void>): Promise<Reason | undefined> {
  try {
    await work()
    return undefined
  } catch (cause) {
    if (cause instanceof RollBack) return undefined
    const message = cause instanceof Error ? cause.message : String(cause)
    const reported = z.safeParse(serverError, cause).data?.meta.driverAdapterError.cause
    if (reported !== undefined) return { message: reported.originalMessage, sqlstate: reported.originalCode }
    const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""
    return { message: message.trim().split("\n").at(-1) ?? message, sqlstate: sqlstates[code] }
  }
}
