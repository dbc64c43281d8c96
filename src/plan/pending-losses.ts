import { LockstepError } from "../errors.js"
import type { StateOf } from "../history/compare.js"
import type { Client } from "../postgres/connect.js"
import { estimated, mentioned } from "./estimate.js"
import { readFacts } from "./facts.js"
import { preparePending } from "./pending.js"
import { tablesOf } from "./tables.js"
import { readRelations } from "./target.js"

/** What a statement that destroys data has in its text. Nothing is parsed where no pending migration has one. */
const mayDestroy = /\b(drop|truncate|delete|merge|type)\b/i

/**
 * The data that pending migrations destroy by their SQL, in words, by the migration's name. As in an estimated plan, what
 * functions do is not seen. Empty where the migrations cannot be prepared: a deploy reports why.
 */
export async function pendingLosses(
  client: Client,
  { schema, pending }: { readonly schema: string; readonly pending: readonly StateOf<"pending">[] },
): Promise<ReadonlyMap<string, readonly string[]>> {
  if (!pending.some(({ migration }) => mayDestroy.test(migration.text))) return new Map()
  const prepared = await preparePending(pending).catch((error: unknown) => {
    if (error instanceof LockstepError) return []
    throw error
  })
  const { names, schemas } = mentioned(prepared)
  const facts = await readFacts(client, names)
  const found = await readRelations(client, { names, schemas: [schema, ...schemas] })
  const known = { tables: tablesOf(found, schema), facts }
  return new Map(
    prepared.map((migration) => {
      const { statements } = estimated(migration, known)
      const destroys = statements.flatMap(({ work }) => work.flatMap((each) => each.destroys))
      return [migration.name, [...new Set(destroys)]]
    }),
  )
}
