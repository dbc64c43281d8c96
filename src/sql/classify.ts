import { whyAlone } from "./alone.js"
import { AddedValues } from "./enum-value.js"
import { eachStatement, type Script, type Statement, type Unparsed } from "./parse.js"

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
export function classify({ statements }: Script): Classification {
  const classifier = new Classifier()
  for (const statement of statements) classifier.take(statement)
  return classifier.result()
}

/** The class of a script whose statements are not needed: they are not kept. */
export async function classOf(source: string): Promise<Classification | Unparsed> {
  const classifier = new Classifier()
  return (await eachStatement(source, (statement) => classifier.take(statement))) ?? classifier.result()
}

class Classifier {
  readonly #values = new AddedValues()
  #boundary: Reason | undefined
  #alone: Reason | undefined

  take(statement: Statement): void {
    const { index, node } = statement
    const word = "TransactionStmt" in node ? boundaries.get(node.TransactionStmt.kind ?? "") : undefined
    if (word !== undefined) this.#boundary ??= { statement: index, why: `${word} in the file` }
    const what = whyAlone(statement)
    if (what !== undefined) this.#alone ??= { statement: index, why: `${what} cannot run inside a transaction` }
    this.#values.take(statement)
  }

  result(): Classification {
    if (this.#boundary) return { class: "self-managed", reason: this.#boundary }
    if (this.#alone) return { class: "non-transactional", reason: this.#alone }
    const { use } = this.#values
    if (use === undefined) return { class: "transactional" }
    const why = `the new enum value '${use.value}' is used by a later statement, which needs it committed`
    return { class: "non-transactional", reason: { statement: use.added, why } }
  }
}

const boundaries: ReadonlyMap<string, string> = new Map([
  ["TRANS_STMT_BEGIN", "BEGIN"],
  ["TRANS_STMT_START", "START TRANSACTION"],
  ["TRANS_STMT_COMMIT", "COMMIT"],
  ["TRANS_STMT_ROLLBACK", "ROLLBACK"],
  ["TRANS_STMT_PREPARE", "PREPARE TRANSACTION"],
])
