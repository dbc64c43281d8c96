import type { AlterDatabaseStmt, AlterSubscriptionStmt, Node, ReindexStmt } from "libpg-query"
import { eachStatement, type Script, type Statement, type Unparsed } from "./parse.js"
import { find, isSameRelation, isSet, type RelationName, relationOfList } from "./tree.js"

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
 * Which of the three classes a migration has. Its own BEGIN or COMMIT goes before everything: such a file decides
 * itself which statements are outside of a transaction. Savepoints alone need no more than the transaction around them.
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

/** Whether a statement must be sent outside any transaction block; all others may be wrapped in BEGIN and COMMIT. */
export function runsAlone(statement: Statement): boolean {
  return whyAlone(statement) !== undefined
}

/** What keeps a statement out of a transaction block, as words: "CREATE INDEX CONCURRENTLY". */
function whyAlone({ node, endsTransaction }: Statement): string | undefined {
  if (endsTransaction)
    return "DoStmt" in node ? "a DO block with COMMIT or ROLLBACK" : "a CALL that commits or rolls back"
  return refused(node)
}

/**
 * The statements that PostgreSQL 18 refuses inside a transaction block (SQLSTATE 25001); tested against the server.
 * REINDEX and CLUSTER of a partitioned table are refused as well, but whether a table is partitioned is not visible in the SQL.
 */
function refused(node: Node): string | undefined {
  if ("IndexStmt" in node) return node.IndexStmt.concurrent ? "CREATE INDEX CONCURRENTLY" : undefined
  if ("DropStmt" in node) return node.DropStmt.concurrent ? "DROP INDEX CONCURRENTLY" : undefined
  if ("ReindexStmt" in node) return reindex(node.ReindexStmt)
  if ("AlterTableStmt" in node) return node.AlterTableStmt.cmds?.some(detachesConcurrently) ? detach : undefined
  if ("VacuumStmt" in node) return node.VacuumStmt.is_vacuumcmd ? "VACUUM" : undefined
  if ("ClusterStmt" in node) return node.ClusterStmt.relation ? undefined : "CLUSTER of every table"
  if ("AlterSystemStmt" in node) return "ALTER SYSTEM"
  if ("CreatedbStmt" in node) return "CREATE DATABASE"
  if ("DropdbStmt" in node) return "DROP DATABASE"
  if ("CreateTableSpaceStmt" in node) return "CREATE TABLESPACE"
  if ("DropTableSpaceStmt" in node) return "DROP TABLESPACE"
  if ("AlterDatabaseStmt" in node) return alterDatabase(node.AlterDatabaseStmt)
  if ("DiscardStmt" in node) return node.DiscardStmt.target === "DISCARD_ALL" ? "DISCARD ALL" : undefined
  if ("CreateSubscriptionStmt" in node) {
    const { options } = node.CreateSubscriptionStmt
    return isSet(options, "connect", true) && isSet(options, "create_slot", true) ? "CREATE SUBSCRIPTION" : undefined
  }
  if ("AlterSubscriptionStmt" in node) return alterSubscription(node.AlterSubscriptionStmt)
  if ("DropSubscriptionStmt" in node) return "DROP SUBSCRIPTION"
  if ("TransactionStmt" in node) return preparedEnds.get(node.TransactionStmt.kind ?? "")
  return undefined
}

const detach = "DETACH PARTITION CONCURRENTLY"

/** Commands on a transaction that an earlier session prepared. */
const preparedEnds: ReadonlyMap<string, string> = new Map([
  ["TRANS_STMT_COMMIT_PREPARED", "COMMIT PREPARED"],
  ["TRANS_STMT_ROLLBACK_PREPARED", "ROLLBACK PREPARED"],
])

function reindex({ kind, params }: ReindexStmt): string | undefined {
  if (isSet(params, "concurrently", false)) return "REINDEX CONCURRENTLY"
  if (kind === "REINDEX_OBJECT_SCHEMA") return "REINDEX SCHEMA"
  if (kind === "REINDEX_OBJECT_DATABASE") return "REINDEX DATABASE"
  if (kind === "REINDEX_OBJECT_SYSTEM") return "REINDEX SYSTEM"
  return undefined
}

function detachesConcurrently(command: Node): boolean {
  const definition = "AlterTableCmd" in command ? command.AlterTableCmd.def : undefined
  return definition !== undefined && "PartitionCmd" in definition && definition.PartitionCmd.concurrent === true
}

function alterDatabase({ options }: AlterDatabaseStmt): string | undefined {
  const moves = options?.some((option) => "DefElem" in option && option.DefElem.defname === "tablespace")
  return moves ? "ALTER DATABASE SET TABLESPACE" : undefined
}

function alterSubscription({ kind, options }: AlterSubscriptionStmt): string | undefined {
  const publications = kind?.endsWith("_PUBLICATION") && isSet(options, "refresh", true)
  const slot = options?.some(
    (option) => "DefElem" in option && /^(failover|two_phase)$/.test(option.DefElem.defname ?? ""),
  )
  return kind === "ALTER_SUBSCRIPTION_REFRESH" || publications || slot ? "ALTER SUBSCRIPTION" : undefined
}

/** An enum value that a script adds and then uses; both statements by their index. */
interface EarlyUse {
  readonly value: string
  readonly added: number
  readonly used: number
}

/**
 * Looks for an enum value that is added to an existing type and used by a later statement of the same script. PostgreSQL
 * forbids that in one transaction (ALTER TYPE, Notes), unless the script created the type as well.
 */
class AddedValues {
  readonly #created: RelationName[] = []
  readonly #added: { readonly value: string; readonly index: number }[] = []
  /** The first one found. */
  use: EarlyUse | undefined

  /** Takes the next statement of the script. */
  take(statement: Statement): void {
    const { index, node } = statement
    const added = this.#added.find(({ value }) => mentionsValue(statement, value))
    if (added !== undefined) this.use ??= { value: added.value, added: added.index, used: index }
    if ("CreateEnumStmt" in node) {
      const type = relationOfList(node.CreateEnumStmt.typeName)
      if (type !== undefined) this.#created.push(type)
    }
    if (!("AlterEnumStmt" in node) || node.AlterEnumStmt.oldVal !== undefined) return
    const type = relationOfList(node.AlterEnumStmt.typeName)
    const value = node.AlterEnumStmt.newVal
    if (value === undefined || type === undefined || this.#created.some((each) => isSameRelation(each, type))) return
    this.#added.push({ value, index })
  }
}

/** A false alarm costs the file its one transaction; a miss fails the deploy. So any equal string constant counts. */
function mentionsValue({ node, text: sql }: Statement, value: string): boolean {
  for (const { sval } of find(node, "A_Const")) {
    const text = sval?.sval
    if (text !== undefined && (text === value || (text.startsWith("{") && text.includes(value)))) return true
  }
  const literal = `'${value.replaceAll("'", "''")}'`
  // Its parse tree may not have all of its rows.
  if ("InsertStmt" in node) return sql.includes(literal)
  if (!("DoStmt" in node || "CreateFunctionStmt" in node)) return false
  for (const { sval } of find(node, "String")) if (sval?.includes(literal)) return true
  return false
}

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
