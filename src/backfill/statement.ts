import type { InsertStmt, Node, RangeVar, SelectStmt, WithClause } from "libpg-query"
import { quoteIdentifier } from "../postgres/quote.js"
import type { Statement } from "../sql/parse.js"
import { loadParser } from "../sql/parser.js"
import { find, identifiers, quoted, type RelationName, relationOf } from "../sql/tree.js"

/** A statement that can be run for one range of a table's rows after another: its driving table's. */
export interface WalkedStatement {
  readonly kind: "UPDATE" | "DELETE" | "INSERT"
  /** The driving table, and how the statement's own expressions name it, quoted. */
  readonly table: RelationName
  readonly reference: string
  /** Of a table with children by inheritance the table alone: "ONLY " as SQL, or nothing. */
  readonly only: "" | "ONLY "
  /** The table that it writes. */
  readonly target: RelationName
  /** The columns of the driving table that it sets. */
  readonly sets: readonly string[]
  /** The functions that it calls where an aggregate would put rows of several ranges together. */
  readonly calls: readonly string[]
  /** Its text, in the parts between which the range's condition stands. */
  readonly parts: Parts
  /** Where its text begins in the file, in UTF-16 code units. */
  readonly start: number
}

interface Parts {
  readonly head: string
  /** What stands after WHERE; undefined where there is none. */
  readonly condition: string | undefined
  readonly tail: string
}

/** Why a statement cannot be run in ranges. */
export interface Unwalkable {
  readonly problem: string
}

/**
 * Finds the driving table of a statement, and where a range's condition belongs. `table`: what the file says that it is,
 * by its name or alias.
 */
export async function statementOf(
  statement: Statement,
  table: string | undefined,
): Promise<WalkedStatement | Unwalkable> {
  const { node } = statement
  const walked =
    "UpdateStmt" in node || "DeleteStmt" in node
      ? ownRows(node)
      : "InsertStmt" in node
        ? selectedRows(node.InsertStmt, table)
        : { problem: "it is no UPDATE, DELETE or INSERT … SELECT" }
  if ("problem" in walked) return walked
  if (table !== undefined && !isCalled(walked, table))
    return { problem: `lockstep-table names ${table}, and the statement's rows are those of ${quoted(walked.table)}` }
  return { ...walked, parts: await partsOf(statement.text, walked.kind), start: statement.start }
}

type Walked = Omit<WalkedStatement, "parts" | "start">

const isCalled = ({ table, reference }: Pick<Walked, "table" | "reference">, name: string): boolean => {
  const { schema = "", name: relation } = table
  return (
    [relation, `${schema}.${relation}`, quoted(table), quoteIdentifier(relation)].includes(name) ||
    [name, quoteIdentifier(name)].includes(reference)
  )
}

function ownRows(node: Extract<Node, { UpdateStmt: unknown } | { DeleteStmt: unknown }>): Walked | Unwalkable {
  const statement = "UpdateStmt" in node ? node.UpdateStmt : node.DeleteStmt
  const kind = "UpdateStmt" in node ? "UPDATE" : "DELETE"
  const range = walkedRange(statement.relation, statement.withClause)
  if ("problem" in range) return range
  if (statement.returningClause !== undefined) return nobodyReads
  if (statement.whereClause !== undefined && "CurrentOfExpr" in statement.whereClause)
    return { problem: "WHERE CURRENT OF needs a cursor, and a backfill has none" }
  const targets = "UpdateStmt" in node ? (node.UpdateStmt.targetList ?? []) : []
  const sets = targets.flatMap((each) => ("ResTarget" in each ? (each.ResTarget.name ?? []) : []))
  return { kind, ...range, target: range.table, sets, calls: [] }
}

const nobodyReads: Unwalkable = { problem: "nobody reads what its RETURNING returns: remove it" }

/** A table as a statement names it. */
function walkedRange(
  range: RangeVar | undefined,
  clause: WithClause | undefined,
): Pick<WalkedStatement, "table" | "reference" | "only"> | Unwalkable {
  const table = relationOf(range)
  if (table === undefined) return { problem: "it names no table" }
  const expressions = (clause?.ctes ?? []).flatMap((each) => ("CommonTableExpr" in each ? [each.CommonTableExpr] : []))
  if (table.schema === undefined && expressions.some(({ ctename }) => ctename === table.name))
    return { problem: `its rows are those of "${table.name}" in its WITH, and must be those of a table` }
  const writes = (["UpdateStmt", "DeleteStmt", "InsertStmt", "MergeStmt"] as const).some(
    (kind) => !find(expressions, kind).next().done,
  )
  if (writes) return { problem: "its WITH writes rows, which would happen once for every range" }
  const reference = quoteIdentifier(range?.alias?.aliasname ?? table.name)
  return { table, reference, only: range?.inh === true ? "" : "ONLY " }
}

function selectedRows(insert: InsertStmt, table: string | undefined): Walked | Unwalkable {
  const select =
    insert.selectStmt !== undefined && "SelectStmt" in insert.selectStmt ? insert.selectStmt.SelectStmt : {}
  const target = relationOf(insert.relation)
  const together = puttingTogether(select)
  if (together !== undefined)
    return { problem: `its ${together} puts rows of several ranges together: the result would be another one` }
  if (target === undefined || select.fromClause === undefined || select.valuesLists !== undefined)
    return { problem: "it is an INSERT of its own values, and not of a table's rows (INSERT … SELECT … FROM)" }
  if (insert.returningClause !== undefined) return nobodyReads
  const found = tablesIn(select.fromClause)
  const clause: WithClause = { ctes: [...(insert.withClause?.ctes ?? []), ...(select.withClause?.ctes ?? [])] }
  const ranges = found.map(({ range, isOptional }) => ({ range: walkedRange(range, clause), isOptional }))
  const chosen = ranges.filter(({ range }) => table === undefined || ("table" in range && isCalled(range, table)))
  const [one, another] = chosen
  if (one === undefined)
    return {
      problem:
        table === undefined ? "its FROM names no table" : `its FROM does not name the table ${table} of lockstep-table`,
    }
  if (another !== undefined)
    return { problem: "its FROM names several tables: say with -- lockstep-table: NAME whose rows are to be walked" }
  if ("problem" in one.range) return one.range
  if (one.isOptional)
    return { problem: `an outer join also returns rows without one of ${quoted(one.range.table)}, which no range has` }
  const calls = callsIn(select.targetList).flatMap(({ funcname }) => identifiers(funcname).at(-1) ?? [])
  return { kind: "INSERT", ...one.range, target, sets: [], calls }
}

/** What of a SELECT depends on all of its rows, in words. */
function puttingTogether(select: SelectStmt): string | undefined {
  if (select.op !== undefined && select.op !== "SETOP_NONE") return "UNION, INTERSECT or EXCEPT"
  if (select.groupClause !== undefined) return "GROUP BY"
  if (select.havingClause !== undefined) return "HAVING"
  if (select.distinctClause !== undefined) return "DISTINCT"
  if (select.limitCount !== undefined || select.limitOffset !== undefined) return "LIMIT or OFFSET"
  if (select.windowClause !== undefined || callsIn(select.targetList).some(({ over }) => over !== undefined))
    return "window function"
  return undefined
}

type Call = Extract<Node, { FuncCall: unknown }>["FuncCall"]

/** The function calls in expressions, but for those in sub-selects, which have rows of their own. */
function callsIn(tree: unknown): readonly Call[] {
  if (typeof tree !== "object" || tree === null || "SubLink" in tree) return []
  const own = find([tree], "FuncCall").next()
  const isCall = "FuncCall" in tree && !own.done
  return [...(isCall ? [own.value] : []), ...Object.values(tree).flatMap(callsIn)]
}

interface FromTable {
  readonly range: RangeVar
  /** On the side of an outer join that may have no row. */
  readonly isOptional: boolean
}

function tablesIn(from: readonly Node[], isOptional = false): readonly FromTable[] {
  return from.flatMap((each): readonly FromTable[] => {
    if ("RangeVar" in each) return [{ range: each.RangeVar, isOptional }]
    if (!("JoinExpr" in each)) return []
    const { jointype, larg, rarg } = each.JoinExpr
    const side = (node: Node | undefined, outer: readonly string[]) =>
      node === undefined ? [] : tablesIn([node], isOptional || outer.includes(jointype ?? ""))
    return [...side(larg, ["JOIN_RIGHT", "JOIN_FULL"]), ...side(rarg, ["JOIN_LEFT", "JOIN_FULL"])]
  })
}

/** What may follow the WHERE of a SELECT, or stand where it would. */
const following = new Set(["ORDER", "FOR", "RETURNING"])

/** The words of PostgreSQL's own scanner outside of all parentheses show where a condition belongs. */
async function partsOf(text: string, kind: Walked["kind"]): Promise<Parts> {
  const bytes = Buffer.from(text)
  const tokens = (await loadParser()).scan(text).filter(({ tokenName }) => !tokenName.endsWith("_COMMENT"))
  const at = (offset: number) => bytes.subarray(0, offset).toString().length
  let depth = 0
  let isSelected = kind !== "INSERT"
  let from: number | undefined
  let end = 0
  for (const [index, { tokenName, text: word, keywordName, end: after }] of tokens.entries()) {
    if (tokenName === "ASCII_40") depth++
    if (tokenName === "ASCII_41") depth--
    const keyword = depth > 0 || keywordName === "NO_KEYWORD" ? "" : word.toUpperCase()
    if (keyword === "SELECT") isSelected = true
    const next = tokens[index + 1]
    const isConflict = keyword === "ON" && next?.text.toUpperCase() === "CONFLICT"
    if (kind === "INSERT" && isSelected && (isConflict || following.has(keyword))) break
    if (isSelected && keyword === "WHERE") from ??= next?.start
    end = after
  }
  const tail = text.slice(at(end))
  if (from === undefined) return { head: text.slice(0, at(end)), condition: undefined, tail }
  return { head: text.slice(0, at(from)), condition: text.slice(at(from), at(end)), tail }
}

/** The statement for the rows that a condition selects. */
export function inRange({ parts: { head, condition, tail } }: WalkedStatement, range: string): string {
  return condition === undefined ? `${head} WHERE ${range}${tail}` : `${head}${range} AND (${condition})${tail}`
}

/** The offset in the statement's own text of one in what inRange made of it; both in UTF-16 code units. */
export function offsetInText({ parts: { head, condition } }: WalkedStatement, range: string, offset: number): number {
  if (offset <= head.length) return offset
  const added = condition === undefined ? ` WHERE ${range}`.length : `${range} AND (`.length
  const beyond = Math.max(0, offset - head.length - added)
  return head.length + (condition !== undefined && beyond > condition.length ? beyond - 1 : beyond)
}
