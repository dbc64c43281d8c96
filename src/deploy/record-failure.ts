import { failedRow } from "../history/rows.js"
import type { Statement } from "../sql/parse.js"
import type { Course } from "./course.js"
import { freshSettings } from "./fresh-session.js"
import { remainder } from "./leftovers.js"
import { mayHaveCommitted } from "./outside.js"
import { failureLog } from "./steps.js"

/** Records why a migration stopped, where Prisma records it, and says in what state that leaves the database. */
export async function recordFailure(
  { client, prepared, request, id, steps }: Course,
  statement: Statement,
  { code, message }: { readonly code?: string | undefined; readonly message: string },
): Promise<string> {
  const { name } = prepared.migration
  const logs = failureLog({ name, statement, of: prepared.statements }, { code, message, steps })
  await client.query(`${freshSettings(client, request)}${failedRow({ schema: request.url.schema, id }, logs)}`)
  const left = await remainder(client, statement)
  const number = statement.index + 1
  const applied =
    steps === 0 ? "none is applied" : steps === 1 ? "the first is applied" : `the first ${steps} are applied`
  const undone = steps < statement.index ? `, those from ${steps + 1} on were rolled back with it` : ""
  const reached = `statement ${number} of ${prepared.statements.length} of ${name} failed, ${applied}${undone}`
  const part = mayHaveCommitted(prepared, statement) ? " What it committed itself before that is applied." : ""
  return `${reached}, and the history holds the failed row.${part}${left ? ` ${left}` : ""}`
}
