import { isUtf8 } from "node:buffer"
import { hash } from "node:crypto"
import { constants, type Dirent, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import { LockstepError } from "../errors.js"
import { readSquash, refuseReplaced, type Squash } from "./squash.js"

/** A migration as the folder holds it. */
export interface FolderMigration {
  /** The folder's name: `<14 digits>_<words>` by custom, but any name will do; see order.ts. */
  readonly name: string
  /** Path of migration.sql. */
  readonly path: string
  /** The script, with a byte order mark where the file has one. */
  readonly text: string
  /** sha256 of the content, in hexadecimal, as Prisma records it. */
  readonly checksum: string
  /** Present where it takes the place of other migrations: see squash.ts. */
  readonly squash?: Squash | undefined
}

/** The migrations folder, read once, in the order in which its migrations run. */
export interface Folder {
  readonly dir: string
  readonly migrations: readonly FolderMigration[]
  /** The history in one number: see digest.ts. */
  readonly digest: string
  /** The text of migration_lock.toml. */
  readonly lockfile: string | undefined
  /** What is tolerated, as Prisma does, and worth a word. */
  readonly remarks: readonly string[]
}

/** Where a project's backfills are: beside its migrations. */
export const backfillsFolder = (migrationsDir: string): string => join(dirname(migrationsDir), "backfills")

const lockName = "migration_lock.toml"
const nothing = "nothing was touched."

/**
 * Reads the migrations folder. A folder that does not exist is an empty history, as for Prisma.
 * Errors: L1101 another provider in the lock file, or a folder that cannot be read; L1102 a migration without its
 * file, or one that is not UTF-8 text; L1850 a squashed one whose list is not whole, or beside what it replaces.
 */
export function readFolder(dir: string): Folder {
  const entries = list(dir)
  const lockfile = entries.some(({ name }) => name === lockName) ? readLockfile(join(dir, lockName)) : undefined
  checkProvider(dir, lockfile)
  const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name)
  const blank = new Set<string>()
  const migrations = names.sort(byName).map((name) => readMigration(dir, name, blank))
  refuseReplaced(migrations)
  return {
    dir,
    migrations,
    digest: digestOf(migrations),
    lockfile,
    remarks: migrations.length === 0 ? [`there are no migrations in ${dir}`] : remarksOn(lockfile, blank),
  }
}

function list(dir: string): Dirent[] {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw unreadable(`the migrations folder ${dir}`, cause)
  }
}

function readLockfile(path: string): string {
  try {
    return readRegularFile(path)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

const unreadable = (what: string, cause: unknown): LockstepError =>
  new LockstepError("L1101", `${what} cannot be read`, {
    hint: cause instanceof Error ? cause.message : undefined,
    state: nothing,
    next: "correct --migrations, or the permissions",
    cause,
  })

const fromHere = (path: string): string => relative(process.cwd(), path)

/** Adds the name of a migration without statements to `blank`. */
function readMigration(dir: string, name: string, blank: Set<string>): FolderMigration {
  const path = `${dir}${sep}${name}${sep}migration.sql`
  let text: string
  try {
    // Reading text is one call into Node, reading bytes four; a history has thousands of files.
    text = readRegularFile(path)
  } catch (cause) {
    throw new LockstepError("L1102", `the migration ${name} has no readable migration.sql`, {
      file: fromHere(path),
      hint: cause instanceof Error ? cause.message : undefined,
      state: nothing,
      next: "restore the file, or remove the folder if the migration was never applied anywhere",
      cause,
    })
  }
  // Whatever is not UTF-8 was read as this character, which a text may also hold.
  if (text.includes("\uFFFD") && !isUtf8(readFileSync(path))) {
    throw new LockstepError("L1102", `the migration ${name} is not UTF-8 text`, {
      file: fromHere(path),
      state: nothing,
      next: "save the file as UTF-8 (UTF-16 is what some editors on Windows write)",
    })
  }
  if (text.includes("\0")) {
    const line = text.slice(0, text.indexOf("\0")).split("\n").length
    throw new LockstepError(
      "L1102",
      `the migration ${name} holds a NUL byte, which PostgreSQL takes for the end of the text`,
      {
        file: fromHere(path),
        line,
        state: nothing,
        next: "remove it, or save the file as UTF-8 (UTF-16 without its mark is full of such bytes)",
      },
    )
  }
  if (!/\S/.test(text)) blank.add(name)
  return { name, path, text, checksum: checksumOf(text), squash: readSquash(name, text) }
}

function checkProvider(dir: string, lockfile: string | undefined): void {
  const provider = lockfile === undefined ? undefined : /^\s*provider\s*=\s*["']([^"']*)["']/m.exec(lockfile)?.[1]
  if (lockfile === undefined || provider === "postgresql" || provider === "postgres") return
  const content = provider === undefined ? "names no provider" : `is for "${provider}"`
  throw new LockstepError("L1101", `migration_lock.toml ${content}, and Lockstep is for postgresql`, {
    file: fromHere(join(dir, lockName)),
    state: nothing,
    next: "point --migrations at the PostgreSQL history",
  })
}

/** What Prisma tolerates, to be noted; `blank`: the names of migrations without statements. */
function remarksOn(lockfile: string | undefined, blank: ReadonlySet<string>): readonly string[] {
  const empty = [...blank].map((name) => `${name} is empty; it is recorded, and changes nothing`)
  return [...lockRemarks(lockfile), ...empty]
}

function lockRemarks(lockfile: string | undefined): string[] {
  if (lockfile !== undefined) return []
  return ["migration_lock.toml is missing; Prisma writes it, and it belongs into version control"]
}

/** That a folder holds no migrations, and why there should be some. */
export const noMigrations = (dir: string, reasons: readonly string[]): LockstepError =>
  new LockstepError("L1106", `there are no migrations in ${dir}`, {
    hint: ["Lockstep looked for folders that hold a migration.sql.", ...reasons].join("\n"),
    state: "nothing was changed.",
    next: "restore the migrations, correct --migrations or migrations.path in prisma.config, or create the first one: `lockstep migrate`\nif the folder is meant to be empty: --allow-empty",
  })

/**
 * No waiting for the other end of a FIFO that took the file's place meanwhile. Node takes numbers here, as for open(),
 * and has less to do for them, which pays for the look at the file's type; its types name strings only.
 */
const flag = (constants.O_RDONLY | constants.O_NONBLOCK) as unknown as string

/**
 * Reads a text from a regular file, or from one that a link leads to. A FIFO has no end before its writer ends, a device
 * may have none at all: both are refused. Throws what the file system throws.
 */
export function readRegularFile(path: string): string {
  if (!statSync(path).isFile()) throw new Error("it is not a regular file")
  return readFileSync(path, { encoding: "utf8", flag })
}

/** sha256 in hexadecimal, over the bytes of migration.sql: what Prisma records. */
export const checksumOf = (text: string): string => hash("sha256", text, "hex")

/**
 * Whether a recorded checksum is this content's. Line ends that are all of the other kind do not count as an edit,
 * because git may change them between machines; nor does a checksum in the form that early Prisma versions wrote, without
 * zero padding. Prisma does not count them either.
 */
export function matchesChecksum(text: string, checksum: string, recorded: string): boolean {
  const isRecorded = (candidate: string) => candidate === recorded || withoutPadding(candidate) === recorded
  const lineEnds = [text.replaceAll("\r\n", "\n"), text.replaceAll("\n", "\r\n")]
  return isRecorded(checksum) || lineEnds.some((other) => isRecorded(checksumOf(other)))
}

/** Each byte without its leading zero: "0a" is "a". */
const withoutPadding = (checksum: string): string => checksum.replace(/0([\da-f])|([1-9a-f][\da-f])/g, "$1$2")

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
