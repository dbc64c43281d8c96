import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { lockfileText } from "./history-list.js"

/**
 * Writes `<dir>/<name>/migration.sql`, whole or not at all: it is made in a hidden folder beside and renamed.
 * The lock file is added where it is missing. Answers the path of migration.sql.
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
