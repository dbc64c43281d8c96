import { quoteIdentifier } from "../postgres/quote.js"
import { type CastBy, castOf } from "../sql/casts.js"

/** A column whose type changes. */
export interface CastColumn {
  /** As SQL, quoted. */
  readonly table: string
  readonly column: string
  readonly from: string
  readonly to: string
  readonly by: CastBy
}

/** What a change of a column's type silently loses, in words; undefined where every value is kept, or it is not known. */
export function castLoss({ table, column, from, to, by }: CastColumn): string | undefined {
  const cast = castOf(from, to, by)
  if (cast.known === "no" || cast.loses === undefined) return undefined
  return `${cast.loses} in ${table}.${quoteIdentifier(column)} (${from} to ${to})`
}

/** What a foreign key's action takes away, in words. */
export const cascadeLoss = (table: string, foreignKey: string, command: "delete" | "update"): string =>
  command === "delete"
    ? `the rows of ${table} that refer to them (ON DELETE CASCADE of "${foreignKey}")`
    : `the references of ${table} to them (ON DELETE SET NULL or SET DEFAULT of "${foreignKey}")`
