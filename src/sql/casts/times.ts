import type { Type } from "../types.js"
import { type Cast, costing } from "./cast.js"

type Part = "date" | "time of day" | "offset" | "days"
/** Source: PostgreSQL's documentation, chapter "Date/Time Types". */
const times: ReadonlyMap<string, readonly Part[]> = new Map<string, readonly Part[]>([
  ["date", ["date"]],
  ["timestamp without time zone", ["date", "time of day"]],
  ["timestamp with time zone", ["date", "time of day"]],
  ["time without time zone", ["time of day"]],
  ["time with time zone", ["time of day", "offset"]],
  ["interval", ["time of day", "days"]],
])

/** Whether it is one of the types of dates and times. */
export const isTime = ({ name }: Type): boolean => times.has(name)

/** Casts that exist. Source: pg_cast. */
const timeCasts: ReadonlyMap<string, readonly string[]> = new Map([
  ["date", ["timestamp without time zone", "timestamp with time zone"]],
  ["timestamp without time zone", ["date", "time without time zone", "timestamp with time zone"]],
  [
    "timestamp with time zone",
    ["date", "time without time zone", "time with time zone", "timestamp without time zone"],
  ],
  ["time without time zone", ["time with time zone", "interval"]],
  ["time with time zone", ["time without time zone"]],
  ["interval", ["time without time zone"]],
])

/** From one of them to another. */
export function amongTimes(from: Type, to: Type): Cast {
  if (from.name !== to.name && !timeCasts.get(from.name)?.includes(to.name)) {
    return costing({ fails: "every value: PostgreSQL has no such cast" }, true)
  }
  const has = times.get(to.name) ?? []
  const lost: string[] = (times.get(from.name) ?? []).filter((part) => !has.includes(part)).map((part) => `the ${part}`)
  const coarser = has.includes("time of day") && secondsOf(from) > secondsOf(to)
  if (coarser) lost.push(`fractions of a second after the first ${secondsOf(to)} digits (values are rounded)`)
  const isTimestamp = from.name.startsWith("timestamp") && to.name.startsWith("timestamp")
  // In UTC a timestamp is stored as the timestamptz that it becomes; a precision is cut from every value nevertheless.
  const inOtherZone = isTimestamp && from.name !== to.name && secondsOf(to) === 6 ? "depends" : true
  const rewrites = from.name === to.name ? coarser : inOtherZone
  return costing({ loses: lost.length > 0 ? lost.join(", ") : undefined }, rewrites)
}

/** Digits of a second's fraction; a date has none. */
const secondsOf = ({ name, modifiers }: Type): number => (name === "date" ? 0 : (modifiers[0] ?? 6))
