import type { Client } from "../postgres/connect.js"
import type { Statement } from "../sql/parse.js"
import { quoted, type RelationName } from "../sql/relation.js"
import { resumable } from "../sql/resumable.js"
import { refusedOrLost } from "./failure.js"

type IndexState = "absent" | "valid" | "invalid"

async function stateOf(client: Client, index: RelationName): Promise<IndexState> {
  const { rows } = await client
    .query<{ valid: string }>({
      text: "SELECT i.indisvalid AND i.indisready AS valid FROM pg_index i WHERE i.indexrelid = to_regclass($1)",
      values: [quoted(index)],
    })
    .catch((error: unknown) => Promise.reject(refusedOrLost(error)))
  if (rows[0] === undefined) return "absent"
  return rows[0].valid === "t" ? "valid" : "invalid"
}

/**
 * Before a concurrent index statement is run again: drops the invalid index that a failed build left. Resolves to
 * whether the statement is still to be run: a finished build, or a finished drop, is not run twice.
 * Source: PostgreSQL's documentation, CREATE INDEX, "Building Indexes Concurrently".
 */
export async function clearTheWay(client: Client, statement: Statement): Promise<boolean> {
  const work = resumable(statement.node)
  if (work?.kind === "create index" && work.index) {
    const state = await stateOf(client, work.index)
    if (state === "invalid") await client.query(`DROP INDEX CONCURRENTLY ${quoted(work.index)}`).catch(refusedOrLost)
    return state !== "valid"
  }
  if (work?.kind === "drop index") {
    const states = await Promise.all(work.indexes.map((index) => stateOf(client, index)))
    return states.some((state) => state !== "absent")
  }
  return true
}

/** The invalid index that a failed statement left behind, in a sentence; undefined where there is none. */
export async function remainder(client: Client, statement: Statement): Promise<string | undefined> {
  const work = resumable(statement.node)
  if (work?.kind !== "create index" || !work.index || (await stateOf(client, work.index)) !== "invalid")
    return undefined
  return `It left the invalid index ${quoted(work.index)}, which --resume drops.`
}
