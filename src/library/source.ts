import { resolve } from "node:path"
import { type DeploySettings, defaultSettings } from "../deploy/context.js"
import { LockstepError } from "../errors.js"
import { type Folder, noMigrations, readFolder } from "../history/folder.js"
import { type DatabaseUrl, parseDatabaseUrl } from "../postgres/url.js"

/** A migrations folder. */
export interface FolderSource {
  /** The migrations folder; prisma/migrations in the working directory where it is not given. */
  readonly migrations?: string | undefined
  /** Accept a folder without migrations. */
  readonly allowEmpty?: boolean | undefined
}

/** A database, and the migrations that belong to it. */
export interface Source extends FolderSource {
  /** postgresql://user:password@host:port/database?schema=public */
  readonly url: string
}

/** Errors: L1205 no URL, L1106 no migrations, L1101, L1102, L12xx. */
export function open({ url, ...source }: Source): { readonly url: DatabaseUrl; readonly folder: Folder } {
  if (typeof url !== "string" || url === "") throw new LockstepError("L1205", "no database URL: `url` is not given")
  const folder = openFolder(source)
  return { url: parseDatabaseUrl(url), folder }
}

/** Errors: L1106 no migrations, L1101, L1102. */
export function openFolder({ migrations = "prisma/migrations", allowEmpty }: FolderSource): Folder {
  const folder = readFolder(resolve(migrations))
  if (folder.migrations.length === 0 && !allowEmpty)
    throw noMigrations(folder.dir, ["The folder is named by `migrations`, or is its default."])
  return folder
}

/** The given settings of a deploy, and the defaults of the others. */
export function settingsOf(
  options: { readonly [K in keyof DeploySettings]?: DeploySettings[K] | undefined },
): DeploySettings {
  const keys = Object.keys(defaultSettings) as (keyof DeploySettings)[]
  return Object.assign({}, ...keys.map((key) => ({ [key]: options[key] ?? defaultSettings[key] })))
}
