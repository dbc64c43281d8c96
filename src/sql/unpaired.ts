import type { Statement } from "./parse.js"

/** A statement that needs another one to make a transaction, and what is wrong with it, in words. */
export interface Unpaired {
  readonly statement: Statement
  readonly problem: string
}

/**
 * The first statement of a self-managed script that ends a transaction which the script has not begun, or begins one
 * that it does not end. A BEGIN within a transaction is only a warning of PostgreSQL's, and so it is here.
 */
export function unpaired(statements: readonly Statement[]): Unpaired | undefined {
  let begun: Statement | undefined
  for (const statement of statements) {
    if (!("TransactionStmt" in statement.node)) continue
    const { kind = "", chain } = statement.node.TransactionStmt
    if (begins.has(kind)) begun ??= statement
    else if (!within.has(kind)) continue
    else if (begun === undefined) return { statement, problem: `${words(statement)} outside of a transaction` }
    else if (ends.has(kind)) begun = chain ? statement : undefined
  }
  return begun && { statement: begun, problem: `${words(begun)} begins a transaction that the file does not end` }
}

const begins: ReadonlySet<string> = new Set(["TRANS_STMT_BEGIN", "TRANS_STMT_START"])
const ends: ReadonlySet<string> = new Set(["TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK", "TRANS_STMT_PREPARE"])
const within: ReadonlySet<string> = new Set([
  ...ends,
  "TRANS_STMT_SAVEPOINT",
  "TRANS_STMT_RELEASE",
  "TRANS_STMT_ROLLBACK_TO",
])

const words = ({ text }: Statement): string => text.slice(0, 80).replaceAll(/\s+/g, " ")

/**
 * Whether a script may have such a statement, found without parsing: keywords stand alone, between spaces, semicolons
 * and comments.
 */
export const mayHoldTransactions = (sql: string): boolean =>
  /(?<![^\s;/])(?:begin|start|commit|end|rollback|abort|prepare)(?![^\s;/-])/i.test(sql)
