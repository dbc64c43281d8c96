import { existsSync, readdirSync } from "node:fs"
import { basename, isAbsolute, join, posix, relative, sep } from "node:path"
import { backfillsFolder, type Folder } from "../history/folder.js"
import { type Manifest, readManifest } from "../project/manifest.js"
import type { Project } from "../project/project.js"
import { schemaPaths } from "../project/schema.js"
import { app, type Entry, type Layer } from "./write.js"

/** What the image takes from the project's package.json. */
interface ProjectIdentity {
  /** Without a scope; the folder's name where package.json has none. */
  readonly name: string
  readonly version: string | undefined
  /** As package.json writes it. */
  readonly repository: string | undefined
  /** Lockstep's settings. */
  readonly settings: Manifest["lockstep"]
}

/** Errors: L1302 package.json cannot be read. */
export function identityOf(root: string): ProjectIdentity {
  const { name, version, repository, lockstep } = readManifest(root)
  return {
    name: name?.replace(/^@[^/]*\//, "") || basename(root) || "project",
    version,
    repository: typeof repository === "string" ? repository : repository?.url,
    settings: lockstep,
  }
}

/** The paths of the project's parts in the image, relative to the application's folder. */
interface ImagePaths {
  readonly schema: string
  readonly migrations: string
}

/** As in the project, so that messages name a file as the repository does; a path outside of the project gets into prisma/. */
export function pathsOf({ root, schemaPath, migrationsDir }: Project): ImagePaths {
  const inside = (path: string): string => {
    const found = relative(root, path)
    const usable = found !== "" && !found.startsWith("..") && !isAbsolute(found)
    return usable ? found.split(sep).join("/") : `prisma/${basename(path)}`
  }
  return { schema: inside(schemaPath), migrations: inside(migrationsDir) }
}

interface ProjectParts {
  readonly project: Pick<Project, "schemaPath" | "configPath" | "configUrlVariable">
  readonly paths: ImagePaths
  readonly identity: ProjectIdentity
  /** The major version of Prisma's CLI, where the image holds it. */
  readonly prisma: number | undefined
}

/** The project's settings and schema. The image has a prisma.config of its own: the project's may import anything. */
export function projectLayer({ project, paths, identity, prisma }: ProjectParts): Layer {
  const config = prisma === undefined ? undefined : configText(project, paths, prisma)
  const { config: _, schema: __, migrations: ___, ...settings } = identity.settings
  const imageManifest = {
    name: `${identity.name}-migrations`,
    ...(identity.version ? { version: identity.version } : {}),
    private: true,
    type: "module",
    ...(prisma !== undefined && config === undefined ? { prisma: { schema: paths.schema } } : {}),
    ...(Object.keys(settings).length > 0 ? { lockstep: settings } : {}),
  }
  return {
    name: "30-project",
    entries: [
      { path: `${app}/package.json`, text: `${JSON.stringify(imageManifest, null, 2)}\n` },
      ...(config === undefined ? [] : [{ path: `${app}/prisma.config.mjs`, text: config }]),
      ...schemaEntries(project.schemaPath, `${app}/${paths.schema}`),
    ],
  }
}

/** Prisma 5 has none, and Prisma 6 needs none where the project has none: their schema names the database. */
function configText(project: ProjectParts["project"], paths: ImagePaths, prisma: number): string | undefined {
  const [schema, path] = [JSON.stringify(paths.schema), JSON.stringify(paths.migrations)]
  if (prisma >= 7)
    return `import { lockstep } from "prisma-lockstep/config"

export default await lockstep({
  schema: ${schema},
  migrations: { path: ${path} },
})
`
  if (prisma < 6 || project.configPath === undefined) return undefined
  const variable = project.configUrlVariable
  const datasource = variable ? `  engine: "classic",\n  datasource: { url: process.env.${variable} },\n` : ""
  return `export default {\n  schema: ${schema},\n  migrations: { path: ${path} },\n${datasource}}\n`
}

function schemaEntries(path: string, target: string): readonly Entry[] {
  return schemaPaths(path).map((file) => ({
    path: posix.join(target, relative(path, file).split(sep).join("/")),
    copy: file,
    executable: false,
  }))
}

/** The history: every migration.sql and the lock file, and nothing else of the folder; and the backfills beside it. */
export function migrationsLayer(folder: Folder, path: string): Layer {
  const at = `${app}/${path}`
  const backfills = backfillsFolder(folder.dir)
  const files = existsSync(backfills) ? readdirSync(backfills).filter((name) => name.endsWith(".sql")) : []
  return {
    name: "40-migrations",
    entries: [
      ...(folder.lockfile === undefined ? [] : [{ path: `${at}/migration_lock.toml`, text: folder.lockfile }]),
      ...folder.migrations.map(({ name, text }) => ({ path: `${at}/${name}/migration.sql`, text })),
      ...files.sort().map((name) => ({
        ...{ path: posix.join(posix.dirname(at), "backfills", name), copy: join(backfills, name), executable: false },
      })),
    ],
  }
}
