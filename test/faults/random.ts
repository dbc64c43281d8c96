const givenRounds = process.env.LOCKSTEP_ATTACK_ROUNDS

/** How many rounds of an attack at random: few with `make test`, as many as it is asked for with `make test-attack`. */
export const roundsOr = (few: number): number => Number(givenRounds ?? few)

/**
 * Numbers that can be had again: `make test` has the same ones every time, `make test-attack` others in each run, by a
 * seed that is printed; LOCKSTEP_TEST_SEED repeats a run.
 */
export interface Random {
  readonly seed: number
  /** From 0 to below 1. */
  next(): number
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
}

/** A generator for one test; `name` keeps those of one run apart. */
export function randomFor(name: string): Random {
  const seed = Number(process.env.LOCKSTEP_TEST_SEED ?? (givenRounds ? Math.floor(Math.random() * 2 ** 31) : 1))
  if (givenRounds) console.log(`${name}: LOCKSTEP_TEST_SEED=${seed}`)
  let state = [...name].reduce((sum, letter) => Math.imul(sum ^ letter.charCodeAt(0), 0x01000193), seed ^ 0x811c9dc5)
  // mulberry32
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return { seed, next, below: (limit) => Math.floor(next() * limit) }
}

/** One number from 0 to below 1 in each of so many equal parts, in no order: they leave no part out, as few may do. */
export function spread(random: Random, parts: number): readonly number[] {
  const places = Array.from({ length: parts }, (_, index) => (index + random.next()) / parts)
  return places
    .map((place) => [random.next(), place] as const)
    .sort(([a], [b]) => a - b)
    .map(([, place]) => place)
}
