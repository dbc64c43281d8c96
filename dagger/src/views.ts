import type { Directory } from "@dagger.io/dagger"
import { inPackage } from "./places.js"
import type { Setting } from "./setting.js"

/** Everything of the repository that names the package's parts and its schema, and nothing that holds code. */
export const settingFiles = ({ source, path }: Setting): Directory =>
  source.filter({
    include: ["package.json", "prisma.config.*", ".config/prisma.*", "**/*.prisma"].map((name) =>
      inPackage(path, name),
    ),
  })

/** The folders of migrations: those that hold a migration_lock.toml, or Prisma's default. */
async function historyFolders({ source, path }: Setting): Promise<string[]> {
  const locks = await source.glob(inPackage(path, "**/migration_lock.toml"))
  const folders = locks.map((lock) => lock.slice(0, lock.lastIndexOf("/")))
  return folders.length > 0 ? folders : [inPackage(path, "prisma/migrations")]
}

/** The repository's migrations. */
export const historyFiles = async (setting: Setting): Promise<Directory> =>
  setting.source.filter({ include: (await historyFolders(setting)).map((folder) => `${folder}/**`) })

/** The repository without its migrations. */
export const codeFiles = async (setting: Setting): Promise<Directory> =>
  setting.source.filter({ exclude: await historyFolders(setting) })
