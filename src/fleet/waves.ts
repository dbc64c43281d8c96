import { LockstepError } from "../errors.js"
import type { FleetTarget } from "./target.js"

/** Targets that are done before the next wave begins. */
export type Wave = readonly FleetTarget[]

/** A number of targets, or a share of them. */
interface Amount {
  readonly value: number
  readonly unit: "targets" | "percent"
}

/** Errors: L2004 it is neither a number nor a share such as 2%. */
function parseAmount(text: string, option: string): Amount {
  const [, number, percent] = /^(\d{1,6}(?:\.\d{1,3})?)(%?)$/.exec(text.trim()) ?? []
  const value = Number(number)
  const isPercent = percent === "%"
  if (number === undefined || (isPercent ? value > 100 : !Number.isInteger(value))) {
    throw new LockstepError(
      "L2004",
      `${option} ${JSON.stringify(text.slice(0, 40))} is neither a number of targets nor a share such as 2%`,
      {
        state: "nothing was touched.",
        next: option === "--canary" ? "write it as --canary 1,10,50%" : "write it as --max-failures 5, or 2%",
      },
    )
  }
  return { value, unit: isPercent ? "percent" : "targets" }
}

/** How many failures are accepted of so many targets: --max-failures 5, or 2% of them, rounded down. */
export function failureBudget(text: string, targets: number): number {
  const { value, unit } = parseAmount(text, "--max-failures")
  return unit === "percent" ? Math.floor((targets * value) / 100) : value
}

/** How far each wave goes, as given by --canary. Errors: L2004. */
export const parseCanary = (canary: readonly string[]): readonly Amount[] =>
  canary.map((text) => parseAmount(text, "--canary"))

/**
 * The targets in waves: with 1,10,50% the first wave is one target, the second goes up to the tenth, the third up to the
 * half (rounded up), the last is the rest. Targets go by their order, and then by the list's.
 */
export function wavesOf(targets: readonly FleetTarget[], canary: readonly Amount[]): readonly Wave[] {
  const ordered = targets.toSorted((one, other) => one.order - other.order)
  const ends = canary.map(({ value, unit }) => (unit === "percent" ? Math.ceil((ordered.length * value) / 100) : value))
  const waves: Wave[] = []
  let begin = 0
  for (const end of [...ends, ordered.length]) {
    const wave = ordered.slice(begin, end)
    if (wave.length > 0) waves.push(wave)
    begin = Math.max(begin, end)
  }
  return waves
}

/** A wave's targets by their order: each stage is done before the next begins. */
export function stagesOf(wave: Wave): readonly Wave[] {
  const orders = [...new Set(wave.map(({ order }) => order))]
  return orders.map((order) => wave.filter((target) => target.order === order))
}
