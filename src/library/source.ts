import { resolve } from "node:path"
import { LockstepError } from "../errors.js"
import { type Folder, noMigrations, readFolder } from "../history/folder.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"

/** A database, and the migrations that belong to it. */
export interface Source {
  /** postgresql://user:password@host:port/database?schema=public */
  readonly url: string
  /** The migrations folder; prisma/migrations in the working directory where it is not given. */
  readonly migrations?: string | undefined
  /** Accept a folder without migrations. */
  readonly allowEmpty?: boolean | undefined
}

/** Errors: L1205 no URL, L1106 no migrations, L1101, L1102, L12xx. */
export function open({ url, migrations = "prisma/migrations", allowEmpty }: Source): {
  readonly url: DatabaseUrl
  readonly folder: Folder
} {
  if (typeof url !== "string" || url === "") throw new LockstepError("L1205", "no database URL: `url` is not given")
  const folder = readFolder(resolve(migrations))
  if (folder.migrations.length === 0 && !allowEmpty)
    throw noMigrations(folder.dir, ["The folder is named by `migrations`, or is its default."])
  return { url: parseDatabaseUrl(url), folder }
}
