import { relative } from "node:path"
import { readFolder } from "../history/folder.js"
import { readSchema } from "../project/schema.js"
import type { EngineSetting } from "../schema-engine/engine.js"
import { withHistory } from "../scratch/history.js"
import { stepsOf } from "../scratch/replay.js"
import type { Decisions } from "./change.js"
import { createMigration, type NewMigration } from "./create-migration.js"
import { writeMigration } from "./migration-file.js"
import { type MigrationConsent, migrationRefusal } from "./refusals.js"

/** The next migration of a project: from its history to its schema. */
export interface NextMigration extends EngineSetting {
  /** The migrations folder. */
  readonly dir: string
  /** The Prisma schema: a file or a folder. */
  readonly schemaPath: string
  /** `createOnly`: a file to edit, which is written also where nothing differs. */
  readonly consent: MigrationConsent
  /** What is known about renames. */
  readonly decisions: Decisions
  /** Receives the SQL of a migration that is refused. */
  readonly onRefused?: ((sql: string) => void) | undefined
}

/** A migration's file, relative to the working directory. */
interface WrittenFile {
  readonly name: string
  readonly sql: string
  readonly file: string
}

/** A migration that was written, with the file before it where enum values need one. */
export type WrittenMigration = Omit<NewMigration, "precededBy" | "state"> &
  WrittenFile & { readonly precededBy: WrittenFile | undefined }

/**
 * Writes the next migration and applies nothing; undefined where the history already makes the schema. Every pending
 * migration must be applied before, and the migration lock be held. Errors: those of createMigration, L1401, L1410, L1411.
 */
export async function writeNextMigration(next: NextMigration): Promise<WrittenMigration | undefined> {
  const { dir, schemaPath, consent, decisions, onRefused, ...setting } = next
  const folder = readFolder(dir)
  const creation = { schemaFiles: readSchema(schemaPath), name: consent.name, decisions }
  const migration = await withHistory(setting, stepsOf(folder.migrations), (replayed) =>
    createMigration({ ...replayed, ...creation, folder, whenEqual: consent.createOnly ? "draft" : "nothing" }),
  )
  if (migration.state === "nothing") return undefined
  const refusal = migrationRefusal(migration, consent, decisions?.told ?? [])
  if (refusal !== undefined) {
    onRefused?.(migration.sql)
    throw refusal
  }
  const write = async ({ name, sql }: Pick<WrittenFile, "name" | "sql">): Promise<WrittenFile> => ({
    ...{ name, sql },
    file: relative(process.cwd(), await writeMigration(dir, name, sql)),
  })
  const { state: _, ...rest } = migration
  const precededBy = migration.precededBy && (await write(migration.precededBy))
  return { ...rest, ...(await write(migration)), precededBy }
}
