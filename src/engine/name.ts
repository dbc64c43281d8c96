import { LockstepError } from "../errors.js"

/** Prisma's limit, so that its CLI can read what is written here. */
const longest = 200

/** The UTC time as the 14 digits that migrations start with. */
export function timestamp(time: Date): string {
  return time.toISOString().replace(/\D/g, "").slice(0, 14)
}

/**
 * The name of a new migration's folder: UTC now, or a second after the latest existing one where clocks disagree,
 * so that it always runs last; then the given words.
 * Errors: L1414 there is no letter or digit in the words.
 */
export function migrationName(words: string, existing: readonly string[], now: Date): string {
  const stamps = existing.flatMap((name) => /^\d{14}/.exec(name)?.[0] ?? [])
  const later = stamps.toSorted().at(-1) ?? ""
  const stamp = timestamp(now)
  return `${stamp > later ? stamp : secondAfter(later)}_${slug(words)}`
}

/** Letters and digits joined by underscores. Errors: L1414. */
export function slug(words: string): string {
  const plain = words.normalize("NFKD").replace(/\p{Mark}/gu, "")
  const text = plain
    .replace(/[^\p{Letter}\p{Number}]+/gu, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, longest)
  if (text) return text.toLowerCase()
  throw new LockstepError("L1414", `"${words}" is no name for a migration: it needs a letter or digit`, {
    next: "give a few words, such as --name add_orders",
  })
}

function secondAfter(stamp: string): string {
  const [year, month, day, hour, minute, second] = (stamp.match(/^\d{4}|\d{2}/g) ?? []).map(Number)
  const time = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, (second ?? 0) + 1)
  const next = timestamp(new Date(time))
  return next > stamp ? next : String(BigInt(stamp) + 1n).padStart(14, "0")
}
