import type { Client } from "../../postgres/connect.js"
import type { Statement } from "../../sql/parse.js"
import { resumable } from "../../sql/resumable.js"
import { quoted } from "../../sql/tree.js"
import { detachPending, indexState, leftByReindex } from "./invalid-indexes.js"

/** How an earlier attempt at a statement ended: the server refused it, or the connection was lost before the answer. */
export type EarlierAttempt = "refused" | "interrupted"

/** What is to be done about a statement; "unknown": the catalog does not show whether it is done. */
export type Verdict = "run" | "done" | "unknown"

/**
 * Before a statement that runs outside a transaction is run again: reads from the catalog whether it is done, and
 * removes what a failed attempt left, such as an invalid index. A statement that was refused never counts as done: a
 * valid index of its name was made by somebody else.
 * Source: PostgreSQL's documentation, CREATE INDEX and REINDEX, "Concurrently"; ALTER TABLE, DETACH PARTITION.
 */
export async function recoverStatement(client: Client, { node }: Statement, earlier: EarlierAttempt): Promise<Verdict> {
  const finished: Verdict = earlier === "interrupted" ? "done" : "run"
  const work = resumable(node)
  switch (work?.kind) {
    case "create index": {
      if (work.index === undefined) return earlier === "refused" ? "run" : "unknown"
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
      return earlier === "refused" || repeatable.some((kind) => kind in node) ? "run" : "unknown"
  }
}

/** Run a second time they change nothing that the first time has not. */
const repeatable = ["VacuumStmt", "AlterSystemStmt", "ReindexStmt", "ClusterStmt", "DiscardStmt"]

/** Whether a statement that waits for its locks blocks nobody else's reads and writes, so that it may wait for long. */
export function waitsWithoutBlocking({ node }: Statement): boolean {
  if (resumable(node) !== undefined) return true
  return "VacuumStmt" in node && !(node.VacuumStmt.options ?? []).some((option) => isFull(option))
}

const isFull = (option: Statement["node"]): boolean => "DefElem" in option && option.DefElem.defname === "full"
