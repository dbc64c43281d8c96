import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { type Delegate, dataModelOf, delegateName, type LoadedClient, type Row } from "./module.js"
import { type Pair, pairs, readColumns, sample } from "./rows.js"

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
    // A client with a native engine, up to Prisma 6, has the server's code in its message alone.
    if (message.includes(checkViolation)) return { model, state: "read", why: "a made-up row is refused by a check" }
    throw new LockstepError("L1322", `the client cannot work with ${model}`, {
      hint: message.trim(),
      cause,
      next: "`lockstep generate`, and see what differs: `lockstep diff history schema`",
    })
  }
  return { model, state: "read and written" }
}
