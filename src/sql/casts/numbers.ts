import type { Type } from "../types.js"
import { type Cast, costing } from "./cast.js"

/** The digits that a type can hold before and after the decimal point, or its significant digits. */
interface Capacity {
  /** Every value is below. */
  readonly limit: number
  readonly decimals: number
  /** Of a floating-point number: decimal digits that survive, and whole numbers that do. */
  readonly significant?: { readonly digits: number; readonly whole: number }
}

/** Source: PostgreSQL's documentation, chapter "Numeric Types". */
const numbers: ReadonlyMap<string, Capacity> = new Map([
  ["smallint", { limit: 32_768, decimals: 0 }],
  ["integer", { limit: 2_147_483_648, decimals: 0 }],
  ["bigint", { limit: 2 ** 63, decimals: 0 }],
  ["numeric", { limit: Number.POSITIVE_INFINITY, decimals: Number.POSITIVE_INFINITY }],
  ["real", { limit: 3.5e38, decimals: Number.POSITIVE_INFINITY, significant: { digits: 6, whole: 2 ** 24 } }],
  [
    "double precision",
    {
      limit: Number.POSITIVE_INFINITY,
      decimals: Number.POSITIVE_INFINITY,
      significant: { digits: 15, whole: 2 ** 53 },
    },
  ],
  ["money", { limit: 92_233_720_368_547_760, decimals: 2 }],
])

/** Whether it is one of the numeric types. */
export const isNumber = ({ name }: Type): boolean => numbers.has(name)

function capacityOf({ name, modifiers: [precision, scale = 0] }: Type): Capacity {
  if (name === "numeric" && precision !== undefined) return { limit: 10 ** (precision - scale), decimals: scale }
  return numbers.get(name) ?? { limit: 0, decimals: 0 }
}

/** From one numeric type to another. */
export function amongNumbers(from: Type, to: Type): Cast {
  const [source, target] = [capacityOf(from), capacityOf(to)]
  const rounds = source.decimals > target.decimals
  // 9.9 rounds up to 10, which a numeric(1) cannot hold.
  const tooLarge = source.limit > target.limit || (rounds && to.name === "numeric" && source.limit === target.limit)
  return costing(
    { loses: roundedDigits(source, target), fails: tooLarge ? "values too large for the new type" : undefined },
    // PostgreSQL keeps a numeric's rows where only its precision grows.
    !(from.name === "numeric" && to.name === "numeric" && (isUnlimited(to) || isOnlyWider(from, to))),
  )
}

const isUnlimited = ({ modifiers }: Type): boolean => modifiers.length === 0

const isOnlyWider = ({ modifiers: [p, s] }: Type, { modifiers: [precision = 0, scale] }: Type): boolean =>
  p !== undefined && s === scale && p <= precision

function roundedDigits(source: Capacity, target: Capacity): string | undefined {
  if (source.decimals > target.decimals) {
    return target.decimals === 0
      ? "digits after the decimal point (values are rounded)"
      : `digits after the first ${target.decimals} decimals (values are rounded)`
  }
  if (source.significant !== undefined && target.significant === undefined) {
    return `digits after the first ${source.significant.digits} (values are rounded)`
  }
  if (target.significant === undefined) return undefined
  const { digits, whole } = target.significant
  const fits =
    source.significant !== undefined
      ? source.significant.digits <= digits
      : source.decimals === 0
        ? source.limit <= whole
        : Math.log10(source.limit) + source.decimals <= digits
  return fits ? undefined : `digits after the first ${digits} (values are approximate)`
}
