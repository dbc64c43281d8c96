import type { Directory } from "@dagger.io/dagger"
import { inPackage } from "./places.js"
import type { Setting } from "./setting.js"

/** What names the project's parts and its schema: package.json, prisma.config and the Prisma files. */
export const settingFiles = async ({ source, path }: Setting): Promise<Directory> =>
  source.filter({
    include: ["package.json", "prisma.config.*", ".config/prisma.*", "tsconfig*.json", "**/*.prisma"].map((name) =>
      inPackage(path, name),
    ),
  })

/** The folders of migrations: those that hold a migration_lock.toml. */
export async function historyFiles({ source, path }: Setting): Promise<Directory> {
  const locks = await source.glob(inPackage(path, "**/migration_lock.toml"))
  const folders = locks.map((lock) => `${lock.slice(0, lock.lastIndexOf("/"))}/**`)
  return source.filter({ include: folders.length > 0 ? folders : [inPackage(path, "prisma/migrations/**")] })
}
