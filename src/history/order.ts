let collator: Intl.Collator | undefined

/**
 * The order in which migrations run: Prisma 7 sorts their names with `localeCompare`, so `1_x` runs before `10_x` and
 * `_a` before `_B`. Here the locale is always English, so that it is one order on every machine.
 */
export function byName(a: string, b: string): number {
  const [first, second] = [a.slice(0, 14), b.slice(0, 14)]
  // Timestamps decide alone, and almost always: a collator takes longer to load than a whole status.
  if (first !== second && isTimestamp(first) && isTimestamp(second)) return first < second ? -1 : 1
  if (a === b) return 0
  collator ??= new Intl.Collator("en-US")
  return collator.compare(a, b) || (a < b ? -1 : 1)
}

const isTimestamp = (text: string): boolean => /^\d{14}$/.test(text)
