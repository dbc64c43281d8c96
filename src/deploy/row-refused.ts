import { LockstepError } from "../errors.js"
import { historyTable } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import type { Prepared } from "./prepare.js"
import type { DeployRequest } from "./request.js"

/** What can keep a row out of a table, or from being seen there. */
const query = `SELECT format('the trigger %I', tgname) AS what FROM pg_trigger
    WHERE tgrelid = to_regclass($1) AND NOT tgisinternal AND tgenabled <> 'D'
  UNION ALL SELECT format('the rule %I', rulename) FROM pg_rewrite WHERE ev_class = to_regclass($1)
  UNION ALL SELECT format('the row-level security policy %I', polname) FROM pg_policy WHERE polrelid = to_regclass($1)
  UNION ALL SELECT 'row-level security' FROM pg_class c WHERE oid = to_regclass($1) AND relrowsecurity
    AND NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid)`

/**
 * L1018: the history table took a row and does not show it, so that the next deploy would apply the migration again.
 * Ends the transaction. `state`: the database's, after that.
 */
export async function rowRefused(
  client: Client,
  prepared: Prepared,
  { url }: Pick<DeployRequest, "url">,
  state: string,
): Promise<LockstepError> {
  await client.query("ROLLBACK")
  const table = historyTable(url.schema)
  const { rows } = await client.query<{ what: string }>({ text: query, values: [table] })
  const found = rows.map(({ what }) => what).join(", ")
  return new LockstepError("L1018", `the history table does not keep the row of ${prepared.migration.name}`, {
    file: prepared.file,
    hint: found
      ? `On ${table} there is: ${found}.`
      : `${table} has no trigger, rule or policy now: the migration itself makes what keeps the row out.`,
    state,
    next: found
      ? "drop what keeps the row out or hides it from this role, then run the same deploy again"
      : "fix the file, then run the same deploy again.",
  })
}
