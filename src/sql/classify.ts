import { whyAlone } from "./alone.js"
import { usesAddedValue } from "./enum-value.js"
import type { Script } from "./parse.js"

/** How a migration can be applied; for all but "transactional", which statement decides it and why, in words. */
export type Classification =
  | { readonly class: "transactional" }
  | { readonly class: "non-transactional" | "self-managed"; readonly reason: Reason }

export interface Reason {
  /** 0-based. */
  readonly statement: number
  readonly why: string
}

/**
 * Which of the three classes a migration has. Its own BEGIN or COMMIT goes before everything: such a file knows where
 * its CONCURRENTLY statements stand. Savepoints alone only need the transaction that they are given.
 */
export function classify(script: Script): Classification {
  for (const { index, node } of script.statements) {
    const word = "TransactionStmt" in node ? boundaries.get(node.TransactionStmt.kind ?? "") : undefined
    if (word !== undefined) return { class: "self-managed", reason: { statement: index, why: `${word} in the file` } }
  }
  for (const statement of script.statements) {
    const what = whyAlone(statement)
    if (what === undefined) continue
    const why = `${what} cannot run inside a transaction`
    return { class: "non-transactional", reason: { statement: statement.index, why } }
  }
  const early = usesAddedValue(script)
  if (early === undefined) return { class: "transactional" }
  const why = `the new enum value '${early.value}' is used by a later statement, which needs it committed`
  return { class: "non-transactional", reason: { statement: early.added, why } }
}

const boundaries: ReadonlyMap<string, string> = new Map([
  ["TRANS_STMT_BEGIN", "BEGIN"],
  ["TRANS_STMT_START", "START TRANSACTION"],
  ["TRANS_STMT_COMMIT", "COMMIT"],
  ["TRANS_STMT_ROLLBACK", "ROLLBACK"],
  ["TRANS_STMT_PREPARE", "PREPARE TRANSACTION"],
])
