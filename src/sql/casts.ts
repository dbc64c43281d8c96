import { type Cast, type CastBy, costing, type Known, kept } from "./casts/cast.js"
import { amongNumbers, isNumber } from "./casts/numbers.js"
import { parseType, type Type } from "./types.js"

export type { Cast, CastBy } from "./casts/cast.js"

/** What every value of one type becomes in another. Both as format_type prints them, or as SQL spells them. */
export function castOf(from: string, to: string, by: CastBy = "assignment"): Cast {
  const [source, target] = [parseType(from), parseType(to)]
  if (isSame(source, target)) return kept(false)
  if (source.isArray && target.isArray) {
    const element = cast(single(source), single(target), by)
    return element.known === "no" ? element : { ...element, rewrites: element.rewrites !== false }
  }
  if (source.isArray && isText(target)) return intoText(source, target, by)
  if (source.isArray || target.isArray) return unknown
  return cast(source, target, by)
}

/**
 * What a cast may lose, in words for a person: "digits after the decimal point"; undefined where every value is kept.
 * A cast of which nothing is known counts as one that may lose.
 */
export function lossOf(from: string, to: string, by?: CastBy): string | undefined {
  const found = castOf(from, to, by)
  return found.known === "no" ? "what the new type cannot hold" : found.loses
}

const unknown: Cast = { known: "no" }
const single = (type: Type): Type => ({ ...type, isArray: false })

const isSame = (one: Type, other: Type): boolean =>
  one.name === other.name &&
  one.isArray === other.isArray &&
  one.modifiers.length === other.modifiers.length &&
  one.modifiers.every((modifier, at) => modifier === other.modifiers[at])

function cast(from: Type, to: Type, by: CastBy): Cast {
  if (isNumber(from) && isNumber(to)) return amongNumbers(from, to)
  if (isText(to)) return intoText(from, to, by)
  if (isText(from)) return outOfText(to, by)
  if (isTime(from) && isTime(to)) return amongTimes(from, to)
  if (isBits(from) && isBits(to)) return amongBits(from, to, by)
  return others(from, to, by)
}

// Texts. Source: chapter "Character Types"; the explicit cast's cut is the SQL standard's.

const isText = ({ name }: Type): boolean => name === "text" || name === "character varying" || name === "character"

/** The longest text of types that have one. */
const longestText: ReadonlyMap<string, number> = new Map([
  ["boolean", 5],
  ["smallint", 6],
  ["integer", 11],
  ["bigint", 20],
  ["uuid", 36],
])

function intoText(from: Type, to: Type, by: CastBy): Cast {
  const room = to.name === "text" ? undefined : to.modifiers[0]
  const source = isText(from) ? (from.name === "text" ? undefined : from.modifiers[0]) : longestText.get(from.name)
  const fits = room === undefined || (source !== undefined && !from.isArray && source <= room)
  const rewrites = !(isText(from) && from.name !== "character" && to.name !== "character" && fits)
  if (fits) return kept(rewrites)
  return by === "assignment"
    ? costing({ fails: `values longer than ${room} characters` }, rewrites)
    : costing({ loses: `characters after the first ${room}` }, rewrites)
}

function outOfText(to: Type, by: CastBy): Cast {
  if (by === "assignment") return costing({ fails: "every value: PostgreSQL requires USING with a cast" }, true)
  if (!isBuiltIn(to)) return unknown
  return costing(
    { loses: "how the text was written, such as leading zeros", fails: `texts that are no ${to.name}` },
    true,
  )
}

// Bits, and the rest.

const isBits = ({ name }: Type): boolean => name === "bit" || name === "bit varying"

function amongBits(from: Type, to: Type, by: CastBy): Cast {
  const room = to.modifiers[0] ?? (to.name === "bit" ? 1 : Number.POSITIVE_INFINITY)
  const source = from.modifiers[0] ?? (from.name === "bit" ? 1 : Number.POSITIVE_INFINITY)
  const isVarying = to.name === "bit varying"
  const fits = isVarying ? source <= room : from.name === "bit" && source === room
  const rewrites = !(isVarying && fits)
  if (fits) return kept(rewrites)
  if (by === "assignment") return costing({ fails: `values of another length than ${room} bits` }, rewrites)
  return costing({ loses: `bits after the first ${room}` }, rewrites)
}

/** Single casts of PostgreSQL's that are possible without USING. */
const assignments: Readonly<Record<string, Known>> = {
  "json>jsonb": costing({ loses: "white space, and the order and duplicates of keys" }, true),
  "jsonb>json": kept(true),
  "inet>cidr": costing({ loses: "the bits of the host" }, true),
  "cidr>inet": kept(false),
}

/** Those that need USING. */
const explicit: Readonly<Record<string, Known>> = {
  "integer>boolean": costing({ loses: "which number it was: all but 0 become true" }, true),
  "boolean>integer": kept(true),
}

const otherTypes: ReadonlySet<string> = new Set([
  "boolean",
  "uuid",
  "json",
  "jsonb",
  "inet",
  "cidr",
  "bit",
  "bit varying",
  "bytea",
  "macaddr",
  "xml",
])

const isBuiltIn = (type: Type): boolean => isNumber(type) || isTime(type) || otherTypes.has(type.name)

function others(from: Type, to: Type, by: CastBy): Cast {
  const pair = `${from.name}>${to.name}`
  const found = assignments[pair] ?? (by === "explicit cast" ? explicit[pair] : undefined)
  if (found !== undefined) return found
  const isRefused = by === "assignment" && isBuiltIn(from) && isBuiltIn(to)
  return isRefused ? costing({ fails: "every value: PostgreSQL has no such cast without USING" }, true) : unknown
}

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
const isTime = ({ name }: Type): boolean => times.has(name)

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
function amongTimes(from: Type, to: Type): Cast {
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
