import { relative } from "node:path"
import { type Folder, noMigrations, readFolder } from "../history/folder.js"
import type { Project } from "./project.js"
import { modelsIn, readSchemaIfPossible } from "./schema.js"

/**
 * Reads the project's migrations. An empty or missing folder is accepted only for a new project, whose schema has no
 * models yet: otherwise it is most often a wrong path, or an image without its migrations.
 * Errors: L1106 no migrations where some were expected; L1101, L1102.
 */
export function readMigrations(project: Project, { allowEmpty }: { readonly allowEmpty: boolean }): Folder {
  const folder = readFolder(project.migrationsDir)
  if (folder.migrations.length > 0 || allowEmpty) return folder
  const models = modelsIn(readSchemaIfPossible(project.schemaPath))
  if (models.length === 0 && project.migrationsNamedBy !== "setting") return folder
  throw noMigrations(folder.dir, [
    origin(project),
    ...(models.length > 0 ? [`${relative(project.root, project.schemaPath)} has ${counted(models)}.`] : []),
  ])
}

function origin({ migrationsNamedBy, configPath, root }: Project): string {
  if (migrationsNamedBy === "setting")
    return "The folder is named by --migrations, LOCKSTEP_MIGRATIONS or package.json."
  if (migrationsNamedBy === "config") return `The folder is named by ${relative(root, configPath ?? "prisma.config")}.`
  return "The folder is Prisma's default, beside the schema."
}

const counted = (models: readonly string[]): string =>
  models.length === 1 ? `the model ${models[0]}` : `${models.length} models, among them ${models[0]}`
