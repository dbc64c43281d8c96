import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { LockstepError } from "../errors.js"
import { lockfileText } from "../schema-engine/engine.js"

/**
 * Writes `<dir>/<name>/migration.sql`, whole or not at all: it is made in a hidden folder beside and renamed.
 * migration_lock.toml is added where it is missing. Returns the path of migration.sql.
 */
export async function writeMigration(dir: string, name: string, sql: string): Promise<string> {
  await mkdir(dir, { recursive: true })
  const draft = join(dir, `.${name}.${randomBytes(4).toString("hex")}`)
  try {
    await mkdir(draft)
    await writeFile(join(draft, "migration.sql"), sql)
    await rename(draft, join(dir, name))
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
  const lockfile = join(dir, "migration_lock.toml")
  if (!existsSync(lockfile)) await writeFile(lockfile, lockfileText)
  return join(dir, name, "migration.sql")
}

/** Prisma's limit, so that its CLI can read what is written here. */
const longest = 200

/** The UTC time as the 14 digits with which migrations begin. */
function timestamp(time: Date): string {
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
  throw new LockstepError("L1414", `"${words}" cannot be a migration's name: it has no letter or digit`, {
    next: "give a few words, such as --name add_orders",
  })
}

function secondAfter(stamp: string): string {
  const [year, month, day, hour, minute, second] = (stamp.match(/^\d{4}|\d{2}/g) ?? []).map(Number)
  const time = Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, (second ?? 0) + 1)
  const next = timestamp(new Date(time))
  return next > stamp ? next : String(BigInt(stamp) + 1n).padStart(14, "0")
}

/**
 * The engine's SQL without the BEGIN and COMMIT that it puts around a changed enum, so that the migration and its history
 * row are committed together. Only for what the engine wrote: it writes no function bodies, where such lines mean more.
 */
export const inOneTransaction = (script: string): string => script.replaceAll(/^(?:BEGIN|COMMIT);\n/gm, "")
