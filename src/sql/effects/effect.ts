import { quoteIdentifier } from "../../postgres/quote.js"
import { type Cost, type LockMode, type RuleId, rules } from "../rules.js"
import { quoted, type RelationName } from "../tree.js"

/** What a statement does to one relation, by the rule of that name. */
export interface Effect {
  readonly rule: RuleId
  /** "none": nothing that another session could wait for; "unknown": not visible in the SQL. */
  readonly lock: LockMode | "none" | "unknown"
  /** The table (or view, or sequence); absent where the statement names none, or every table is meant. */
  readonly table?: RelationName
  /** The index, where the statement names an index and its table is only in the catalog. */
  readonly index?: RelationName
  /** The column, where the statement names one. */
  readonly column?: string
  readonly rewrites: boolean | "depends"
  readonly scans: boolean | "depends"
  readonly cost: Cost
  /** The data that is gone afterwards, in words, such as `column "Order"."legacyTotal"`. */
  readonly destroys?: string
  /** What to do instead. */
  readonly safer?: string
}

/** What a statement adds to its rule. */
interface Particulars {
  readonly table?: RelationName | undefined
  readonly index?: RelationName | undefined
  readonly column?: string | undefined
  readonly destroys?: string | undefined
  readonly lock?: LockMode | undefined
}

/** A rule applied to the names in a statement. */
export function effect(id: RuleId, { table, index, column, destroys, lock }: Particulars = {}): Effect {
  const rule = rules[id]
  const safer = rule.safer
    ?.replaceAll("{column}", column === undefined ? "the column" : quoteIdentifier(column))
    .replaceAll("{table}", table === undefined ? "the table" : quoted(table))
  return {
    rule: id,
    lock: lock ?? rule.lock,
    ...(table === undefined ? {} : { table }),
    ...(index === undefined ? {} : { index }),
    ...(column === undefined ? {} : { column }),
    rewrites: rule.rewrites,
    scans: rule.scans,
    cost: rule.cost,
    ...(destroys === undefined ? {} : { destroys }),
    ...(safer === undefined ? {} : { safer }),
  }
}
