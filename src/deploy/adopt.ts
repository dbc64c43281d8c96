import { LockstepError } from "../errors.js"
import type { Adoption } from "../history/adoption.js"
import type { Comparison } from "../history/compare.js"
import { lockHolder } from "../history/lock.js"
import { historyTable } from "../history/recorded.js"
import { adoptRows, findingOf, notKept } from "../history/rows.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import { whenUnlocked } from "./connect/history.js"
import type { DeployContext } from "./context.js"
import { untouched } from "./failure.js"
import { verifyHistory } from "./verify/verify.js"

/**
 * Rewrites the history where all that a squashed migration replaces is applied: its row takes the place of theirs, under
 * the migration lock, and the history is read back. No statement of the migration is run.
 * Errors: L1852 the role may not delete rows, L1018 the table does not keep the change, L1030 the history read back is another one; ConnectionLost.
 */
export async function adoptSquashed(context: DeployContext, comparison: Comparison): Promise<void> {
  for (const adoption of comparison.adoptions) {
    await whenUnlocked(context, () => rewrite(context, adoption))
    const { name, squash } = adoption.migration
    context.progress.adopted.push(name)
    context.progress.completed++
    context.request.onEvent({ event: "adopted", name, replaced: squash?.replaces.length ?? 0 })
  }
  if (comparison.pending.length === 0) await whenUnlocked(context, () => verifyHistory(context, comparison))
}

async function rewrite({ client, request: { url } }: DeployContext, adoption: Adoption): Promise<void> {
  try {
    await client.query(adoptRows(lockHolder(client), url.schema, adoption))
  } catch (cause) {
    if (sqlstateOf(cause) === undefined) throw cause
    await client.query("ROLLBACK").catch(() => undefined)
    if (findingOf(cause) === "row")
      throw await notKept(client, { schema: url.schema, name: adoption.migration.name, state: untouched })
    throw sqlstateOf(cause) === "42501" ? mayNotRewrite(url.schema, cause) : cause
  }
}

const mayNotRewrite = (schema: string, cause: unknown): LockstepError =>
  new LockstepError("L1852", `the role may not rewrite ${historyTable(schema)}`, {
    sqlstate: sqlstateOf(cause),
    hint: "A squashed migration's row takes the place of the rows of what it replaces.",
    state: untouched,
    next: `GRANT SELECT, INSERT, UPDATE, DELETE ON ${historyTable(schema)} to this role, then run the same deploy again`,
    cause,
  })
