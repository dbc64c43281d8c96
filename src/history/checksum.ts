import { hash } from "node:crypto"

/** sha256 in hexadecimal, over the bytes of migration.sql: what Prisma records. */
export const checksumOf = (text: string): string => hash("sha256", text, "hex")

/**
 * Whether a recorded checksum is this content's. Line ends that are all of the other kind do not count as an edit,
 * because git may change them between machines; Prisma does not count them either.
 */
export function matchesChecksum(text: string, checksum: string, recorded: string): boolean {
  if (checksum === recorded) return true
  return (
    checksumOf(text.replaceAll("\r\n", "\n")) === recorded || checksumOf(text.replaceAll("\n", "\r\n")) === recorded
  )
}

/**
 * A history in one number: sha256 in hexadecimal over each migration's name and checksum, in the order in which they
 * run, each ended by a zero byte. Two folders with the same digest hold the same migrations.
 */
export function digestOf(migrations: readonly { readonly name: string; readonly checksum: string }[]): string {
  return checksumOf(migrations.map(({ name, checksum }) => `${name}\0${checksum}\0`).join(""))
}

let collator: Intl.Collator | undefined

/**
 * The order in which migrations run: Prisma 7 sorts their names with `localeCompare`, so `1_x` runs before `10_x` and
 * `_a` before `_B`. Here the locale is always English, so that it is one order on every machine.
 */
export function byName(a: string, b: string): number {
  const [first, second] = [a.slice(0, 14), b.slice(0, 14)]
  // Different timestamps decide alone. A collator, which takes 5 ms to load, is hardly ever needed.
  if (first !== second && isTimestamp(first) && isTimestamp(second)) return first < second ? -1 : 1
  if (a === b) return 0
  collator ??= new Intl.Collator("en-US")
  return collator.compare(a, b) || (a < b ? -1 : 1)
}

const isTimestamp = (text: string): boolean => /^\d{14}$/.test(text)
