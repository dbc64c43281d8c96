import type { Client } from "../../postgres/connect.js"
import type { Statement } from "../../sql/parse.js"
import { resumable } from "../../sql/resumable.js"
import { quoted } from "../../sql/tree.js"
import { detachPending, indexState, leftByReindex } from "./invalid-indexes.js"

/** What is known of an earlier attempt at a statement: the server refused it, or nobody heard the answer. */
export type Doubt = "refused" | "in doubt"

/** Whether a statement is still to be run; "unclear": no catalog tells. */
export type Verdict = "run" | "done" | "unclear"

/**
 * Before a statement that runs outside a transaction is run again: finds out from the catalog whether it is done, and
 * clears away what a failed attempt left, such as an invalid index. A statement that was refused is never taken for
 * done: a valid index of its name is then somebody else's.
 * Source: PostgreSQL's documentation, CREATE INDEX and REINDEX, "Concurrently"; ALTER TABLE, DETACH PARTITION.
 */
export async function clearTheWay(client: Client, { node }: Statement, doubt: Doubt): Promise<Verdict> {
  const finished: Verdict = doubt === "in doubt" ? "done" : "run"
  const work = resumable(node)
  switch (work?.kind) {
    case "create index": {
      if (work.index === undefined) return doubt === "refused" ? "run" : "unclear"
      const state = await indexState(client, work.index)
      if (state === "invalid") await client.query(`DROP INDEX CONCURRENTLY ${quoted(work.index)}`)
      return state === "valid" ? finished : "run"
    }
    case "drop index":
      for (const index of work.indexes) if ((await indexState(client, index)) !== "absent") return "run"
      return finished
    case "reindex":
      for (const index of await leftByReindex(client, work)) await client.query(`DROP INDEX CONCURRENTLY ${index}`)
      return "run"
    case "detach partition": {
      const pending = await detachPending(client, work)
      if (!pending) return pending === undefined ? finished : "run"
      await client.query(`ALTER TABLE ${quoted(work.table)} DETACH PARTITION ${quoted(work.partition)} FINALIZE`)
      return "done"
    }
    default:
      return doubt === "refused" || repeatable.some((kind) => kind in node) ? "run" : "unclear"
  }
}

/** Run once more they change nothing that the first time has not. */
const repeatable = ["VacuumStmt", "AlterSystemStmt", "ReindexStmt", "ClusterStmt", "DiscardStmt"]

/** Whether waiting for its locks stops nobody else's reads and writes, so that nothing hurries it. */
export function waitsPolitely({ node }: Statement): boolean {
  if (resumable(node) !== undefined) return true
  return "VacuumStmt" in node && !(node.VacuumStmt.options ?? []).some((option) => isFull(option))
}

const isFull = (option: Statement["node"]): boolean => "DefElem" in option && option.DefElem.defname === "full"
