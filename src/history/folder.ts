import { isUtf8 } from "node:buffer"
import { type Dirent, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { LockstepError } from "../errors.js"
import { checksumOf } from "./checksum.js"

/** A migration as the folder holds it. */
export interface FolderMigration {
  /** The folder's name: `<14 digits>_<words>` by custom, but any name is ordered as text. */
  readonly name: string
  /** Path of migration.sql. */
  readonly path: string
  /** The script, byte for byte. */
  readonly content: Buffer
  /** sha256 of the content, in hexadecimal, as Prisma records it. */
  readonly checksum: string
}

/** The migrations folder, read once, in the order in which its migrations run. */
export interface Folder {
  readonly dir: string
  readonly migrations: readonly FolderMigration[]
  /** The text of migration_lock.toml. */
  readonly lockfile: string | undefined
  /** What is tolerated, as Prisma does, and worth a word. */
  readonly remarks: readonly string[]
}

export const sqlOf = (migration: FolderMigration): string => migration.content.toString("utf8")

/**
 * Reads the migrations folder. A folder that does not exist is an empty history, as for Prisma.
 * Errors: L1101 another provider in the lock file, or a folder that cannot be read; L1102 a migration without its
 * file, or one that is not UTF-8 text.
 */
export function readFolder(dir: string): Folder {
  const entries = list(dir)
  const lockfile = entries.some((entry) => entry.name === "migration_lock.toml")
    ? readFileSync(join(dir, "migration_lock.toml"), "utf8")
    : undefined
  checkProvider(dir, lockfile)
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name)
  const migrations = names.sort(byBytes).map((name) => readMigration(dir, name))
  return { dir, migrations, lockfile, remarks: [...lockRemarks(lockfile, migrations), ...nameRemarks(migrations)] }
}

/** Prisma's order, which is Rust's: by bytes, not by a locale. */
export const byBytes = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function list(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw new LockstepError("L1101", `the migrations folder ${dir} cannot be read`, {
      cause,
      next: "correct --migrations, or the folder's permissions",
    })
  }
}

function readMigration(dir: string, name: string): FolderMigration {
  const path = join(dir, name, "migration.sql")
  let content: Buffer
  try {
    content = readFileSync(path)
  } catch (cause) {
    throw new LockstepError("L1102", `the migration ${name} has no readable migration.sql`, {
      file: path,
      state: "nothing was touched.",
      next: "restore the file, or remove the folder if the migration was never applied anywhere",
      cause,
    })
  }
  if (!isUtf8(content)) {
    throw new LockstepError("L1102", `the migration ${name} is not UTF-8 text`, {
      file: path,
      state: "nothing was touched.",
      next: "save the file as UTF-8 (UTF-16 is what some editors on Windows write)",
    })
  }
  return { name, path, content, checksum: checksumOf(content) }
}

function checkProvider(dir: string, lockfile: string | undefined): void {
  const provider = lockfile === undefined ? undefined : /^\s*provider\s*=\s*"([^"]*)"/m.exec(lockfile)?.[1]
  if (lockfile === undefined || provider === "postgresql" || provider === "postgres") return
  const says = provider === undefined ? "names no provider" : `is for "${provider}"`
  throw new LockstepError("L1101", `migration_lock.toml ${says}, and Lockstep is for postgresql`, {
    file: join(dir, "migration_lock.toml"),
    state: "nothing was touched.",
    next: "point --migrations at the PostgreSQL history",
  })
}

function lockRemarks(lockfile: string | undefined, migrations: readonly FolderMigration[]): string[] {
  if (lockfile !== undefined || migrations.length === 0) return []
  return ["migration_lock.toml is missing; Prisma writes it, and it belongs into version control"]
}

function nameRemarks(migrations: readonly FolderMigration[]): string[] {
  const remarks: string[] = []
  let previous: FolderMigration | undefined
  for (const migration of migrations) {
    const stamp = /^\d{14}/.exec(migration.name)?.[0]
    if (stamp && previous?.name.startsWith(stamp)) {
      remarks.push(`${previous.name} and ${migration.name} have equal timestamps; they run in this order`)
    }
    if (migration.content.length === 0) remarks.push(`${migration.name} is empty; it is recorded, and changes nothing`)
    previous = migration
  }
  return remarks
}
