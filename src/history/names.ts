import { LockstepError } from "../errors.js"

/**
 * The full name that a person means: the name itself, or the only one that begins so. Where there is none, it is what was
 * given, for the caller to refuse. Errors: L1710 several begin so.
 */
export function fullName(given: string, names: readonly string[]): string {
  if (names.includes(given)) return given
  const found = [...new Set(names)].filter((name) => name.startsWith(given))
  if (found.length <= 1) return found[0] ?? given
  throw new LockstepError("L1710", `${given} is the beginning of ${found.length} migrations' names`, {
    hint: found.slice(0, 10).join("\n"),
    state: "nothing was touched.",
    next: "name one of them",
  })
}

interface Named {
  readonly name: string
}

/** Notes about migrations whose names begin with the same timestamp: none, or one. Their order is that of the whole names. */
export function timestampRemarks(migrations: readonly Named[]): readonly string[] {
  const twins = [...byTimestamp(migrations).values()].filter((names) => names.length > 1)
  const last = twins.at(-1)
  if (last === undefined) return []
  const others = twins.length - 1
  const more = others === 0 ? "" : ` (and so on in ${others} more group${others > 1 ? "s" : ""})`
  return [`${last.join(", ")} have equal timestamps, and run in this order${more}`]
}

function byTimestamp(migrations: readonly Named[]): Map<string, string[]> {
  const groups = new Map<string, string[]>()
  for (const { name } of migrations) {
    const stamp = /^\d{14}/.exec(name)?.[0]
    if (stamp === undefined) continue
    const group = groups.get(stamp)
    if (group) group.push(name)
    else groups.set(stamp, [name])
  }
  return groups
}
