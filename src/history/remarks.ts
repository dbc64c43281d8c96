interface Named {
  readonly name: string
}

/** What Prisma tolerates in a folder that holds migrations, and is worth a word; `blank` names the migrations that say nothing. */
export function remarksOn(
  lockfile: string | undefined,
  migrations: readonly Named[],
  blank: ReadonlySet<string>,
): readonly string[] {
  return [...lockRemarks(lockfile), ...nameRemarks(migrations, blank)]
}

/** What is to be said about migrations that are recorded as applied more than once. */
export const duplicateRemarks = (names: readonly string[]): readonly string[] =>
  names.map((name) => `${name} is recorded as applied more than once; lockstep resolve --applied ${name} keeps one row`)

function lockRemarks(lockfile: string | undefined): string[] {
  if (lockfile !== undefined) return []
  return ["migration_lock.toml is missing; Prisma writes it, and it belongs into version control"]
}

function nameRemarks(migrations: readonly Named[], blank: ReadonlySet<string>): string[] {
  const empty = [...blank].map((name) => `${name} is empty; it is recorded, and changes nothing`)
  const twins = [...byTimestamp(migrations).values()].filter((names) => names.length > 1)
  const last = twins.at(-1)
  if (last === undefined) return empty
  const others = twins.length - 1
  const more = others === 0 ? "" : ` (and so on in ${others} more group${others > 1 ? "s" : ""})`
  return [...empty, `${last.join(", ")} have equal timestamps, and run in this order${more}`]
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
