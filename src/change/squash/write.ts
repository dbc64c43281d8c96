import { randomBytes } from "node:crypto"
import { rename, rm, writeFile } from "node:fs/promises"
import { join, relative } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../../errors.js"
import type { Comparison } from "../../history/compare.js"
import type { Folder } from "../../history/folder.js"
import { indexOfMigration } from "../diff.js"
import type { Squashed } from "./squash.js"

/** The way back from a squash is git. Errors: L1855 not all of the folder is committed, or it is in no repository. */
export async function refuseUncommitted(dir: string): Promise<void> {
  const { failed, stdout } = await execa("git", ["status", "--porcelain", "--", "."], { cwd: dir, reject: false })
  if (!failed && stdout === "") return
  const why = failed ? "is in no git repository" : "has changes that are not committed"
  throw new LockstepError("L1855", `the migrations folder ${relative(process.cwd(), dir)} ${why}`, {
    hint: failed ? undefined : stdout,
    state: "nothing was touched or written.",
    next: "commit the migrations first: a squash removes them, and git is the way back",
  })
}

/** Errors: L1856 a database lacks one of the migrations, or one has failed there. */
export function refuseUnapplied({ pending, failed, inBetween }: Comparison, folder: Folder, until: string): void {
  const last = indexOfMigration(folder.migrations, until)
  const replaced = new Set(folder.migrations.slice(0, last + 1).map(({ name }) => name))
  const waiting = [...pending, ...failed].filter(({ name }) => replaced.has(name)).map(({ name }) => name)
  if (waiting.length === 0) return
  const more = inBetween.length > 0 ? "a squash before is applied in part" : undefined
  throw new LockstepError("L1856", `the database lacks ${waiting.length} of the migrations to squash`, {
    hint: [...waiting.slice(0, 10), more].filter(Boolean).join("\n"),
    state: "nothing was touched or written.",
    next: "`lockstep deploy`; squash only what is applied in every database, because one in between is refused",
  })
}

/**
 * Writes the squashed migration over the last replaced one, and removes the others. Killed meanwhile, it leaves a folder
 * that every command refuses (L1850) until it is restored by git. Returns the path of migration.sql.
 */
export async function writeSquashed(dir: string, { name, sql, replaces }: Squashed): Promise<string> {
  const file = join(dir, name, "migration.sql")
  const draft = `${file}.${randomBytes(4).toString("hex")}`
  await writeFile(draft, sql)
  await rename(draft, file)
  for (const each of replaces) if (each !== name) await rm(join(dir, each), { recursive: true })
  return file
}
