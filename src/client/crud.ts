import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { type Column, readColumns } from "./columns.js"
import {
  type Client,
  type Delegate,
  dataModelOf,
  type Enums,
  type Field,
  type LoadedClient,
  type Row,
} from "./module.js"
import { sample } from "./sample.js"

/** What became of a model: written as well, or only read, and why. */
export type ModelResult =
  | { readonly model: string; readonly state: "read and written" }
  | { readonly model: string; readonly state: "read"; readonly why: string }

/** What the client hands on of an error of the server's. */
const serverError = z.object({
  meta: z.object({
    driverAdapterError: z.object({ cause: z.object({ originalCode: z.string(), originalMessage: z.string() }) }),
  }),
})

const checkViolation = "23514"

/** Ends a transaction whose work is not to stay. */
class TakenBack extends Error {}

const delegate = z.custom<Delegate>((value) => typeof value === "object" && value !== null && "findFirst" in value)

/**
 * Creates, reads, updates and deletes a made-up row of every model, each in a transaction that is taken back. Foreign
 * keys and triggers are off meanwhile (session_replication_role), so that a row needs no others; check constraints are
 * not, and a model whose constraints refuse the made-up row is only read.
 * Errors: L1322 the client and the database do not go together.
 */
export async function exerciseModels({ client, enums }: LoadedClient, schema: string): Promise<readonly ModelResult[]> {
  const dataModel = dataModelOf(client)
  const columns = await readColumns(client)
  const results: ModelResult[] = []
  for (const [model, { dbName, fields, schema: own }] of Object.entries(dataModel.models)) {
    const relation = columns.get(`${own ?? schema}.${dbName ?? model}`) ?? []
    results.push(await exercise(client, model, pairs(fields, relation), enums))
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

async function exercise(client: Client, model: string, all: readonly Pair[], enums: Enums): Promise<ModelResult> {
  const name = `${model.slice(0, 1).toLowerCase()}${model.slice(1)}`
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
      expectThat((await rows.findFirst({ where })) !== null, model, "the row that was created is not found")
      if (Object.keys(change).length > 0)
        expectThat((await rows.updateMany({ where, data: change })).count === 1, model, "the row was not updated")
      expectThat((await rows.deleteMany({ where })).count === 1, model, "the row was not deleted")
      expectThat((await rows.findFirst({ where })) === null, model, "the row that was deleted is still found")
      throw new TakenBack()
    })
  } catch (cause) {
    if (cause instanceof TakenBack) return { model, state: "read and written" }
    if (cause instanceof LockstepError) throw cause
    const refusal = z.safeParse(serverError, cause).data?.meta.driverAdapterError.cause
    if (refusal?.originalCode === checkViolation)
      return { model, state: "read", why: `a made-up row is refused: ${refusal.originalMessage}` }
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new LockstepError("L1322", `the client cannot work with ${model}`, {
      hint: message.trim(),
      cause,
      next: "pnpm db:generate, and see what differs: lockstep diff history schema",
    })
  }
  return { model, state: "read and written" }
}

function expectThat(holds: boolean, model: string, otherwise: string): void {
  if (!holds) throw new LockstepError("L1322", `${model}: ${otherwise}`)
}
