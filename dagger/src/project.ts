import type { Changeset, Container, Directory } from "@dagger.io/dagger"
import type { Manifest } from "./manifest.js"
import { inPackage, projectDir, type Settings } from "./settings.js"

/** Where Prisma looks for its configuration. A test compares this with the runner's own list. */
export const configFiles = [
  "prisma7.config.*",
  ".config/prisma7.*",
  "prisma.config.*",
  "prisma.config/index.*",
  ".config/prisma.*",
  ".config/prisma/index.*",
  ".config/prisma.config.*",
  ".config/prisma.config/index.*",
]

/** Everything of the repository that names the package's parts, and its schema: nothing that holds code. */
export const schemaFiles = ({ source, path }: Settings, { configFile }: Manifest): Directory =>
  source.filter({
    include: ["package.json", "**/*.prisma", ...configFiles, ...(configFile ? [configFile] : [])].map((name) =>
      inPackage(path, name),
    ),
  })

/** The migrations, and the backfills beside them. */
export const migrationFiles = async (settings: Settings): Promise<Directory> =>
  settings.source.filter({ include: (await migrationFolders(settings)).map((folder) => `${folder}/**`) })

/** Everything but those. */
export const codeFiles = async (settings: Settings): Promise<Directory> =>
  settings.source.filter({ exclude: await migrationFolders(settings) })

/** Folders that hold a migration_lock.toml or a migration, whatever they are called, and the folders of backfills beside them. */
async function migrationFolders({ source, path }: Settings): Promise<string[]> {
  const find = (name: string) => source.glob(inPackage(path, `**/${name}`))
  const [locks, scripts] = await Promise.all([find("migration_lock.toml"), find("migration.sql")])
  const folders = [...locks.map(parent), ...scripts.map(parent).map(parent)]
  const kept = [...new Set(folders)].filter((folder) => folder !== "")
  return kept.flatMap((folder) => [folder, [parent(folder), "backfills"].filter(Boolean).join("/")])
}

const parent = (file: string): string => file.slice(0, Math.max(file.lastIndexOf("/"), 0))

/** A command's work: the container before and after it, and which of the files count. */
export interface Work {
  readonly before: Container
  readonly after: Container
  /** All of them, or those that git does not ignore. */
  readonly files: "all" | "committed"
}

/** What a command added or changed in the project, as a change of the repository. */
export function changesOf({ source }: Settings, { before, after, files }: Work): Changeset {
  const exclude = ["**/node_modules", "**/dist", "**/.lockstep"]
  const kept = (container: Container) =>
    container.directory(projectDir).filter({ exclude, gitignore: files === "committed" })
  return source.withDirectory(".", kept(before).diff(kept(after))).changes(source)
}
