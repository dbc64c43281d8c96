import { existsSync, readdirSync, statSync } from "node:fs"
import { basename, isAbsolute, join, posix, relative, sep } from "node:path"
import type { Folder } from "../history/folder.js"
import type { Project } from "../project/project.js"
import { app, type Entry, type Layer } from "./entry.js"
import type { ProjectManifest } from "./project-manifest.js"

/** Where the project's parts are in the image, relative to the application's folder. */
export interface ProjectPlaces {
  readonly schema: string
  readonly migrations: string
}

/** As in the project, so that messages name files as the repository does; what lies outside of it goes to prisma/. */
export function placesOf({ root, schemaPath, migrationsDir }: Project): ProjectPlaces {
  const inside = (path: string): string => {
    const found = relative(root, path)
    const usable = found !== "" && !found.startsWith("..") && !isAbsolute(found)
    return usable ? found.split(sep).join("/") : `prisma/${basename(path)}`
  }
  return { schema: inside(schemaPath), migrations: inside(migrationsDir) }
}

/** The project's settings and schema. Prisma's configuration is the image's own: the project's may import anything. */
export function projectLayer(
  project: Project,
  places: ProjectPlaces,
  manifest: ProjectManifest,
  image: "slim" | "full",
): Layer {
  const { config: _, schema: __, migrations: ___, ...settings } = manifest.lockstep
  const imageManifest = {
    name: `${manifest.name}-migrations`,
    ...(manifest.version ? { version: manifest.version } : {}),
    private: true,
    type: "module",
    ...(Object.keys(settings).length > 0 ? { lockstep: settings } : {}),
  }
  return {
    name: "30-project",
    entries: [
      { path: `${app}/package.json`, text: `${JSON.stringify(imageManifest, null, 2)}\n` },
      ...(image === "full" ? [{ path: `${app}/prisma.config.mjs`, text: configText(places) }] : []),
      ...schemaEntries(project.schemaPath, `${app}/${places.schema}`),
    ],
  }
}

const configText = ({ schema, migrations }: ProjectPlaces): string => `import { lockstep } from "prisma-lockstep/config"

export default await lockstep({
  schema: ${JSON.stringify(schema)},
  migrations: { path: ${JSON.stringify(migrations)} },
})
`

function schemaEntries(path: string, place: string): readonly Entry[] {
  if (!existsSync(path)) return []
  if (!statSync(path).isDirectory()) return [{ path: place, copy: path, executable: false }]
  return readdirSync(path, { encoding: "utf8", recursive: true })
    .filter((name) => name.endsWith(".prisma"))
    .map((name) => ({
      path: posix.join(place, name.split(sep).join("/")),
      copy: join(path, name),
      executable: false,
    }))
}

/** The history: each migration.sql, and the lock file; nothing else that may lie in the folder. */
export function migrationsLayer(folder: Folder, place: string): Layer {
  const at = `${app}/${place}`
  return {
    name: "40-migrations",
    entries: [
      ...(folder.lockfile === undefined ? [] : [{ path: `${at}/migration_lock.toml`, text: folder.lockfile }]),
      ...folder.migrations.map(({ name, text }) => ({ path: `${at}/${name}/migration.sql`, text })),
    ],
  }
}
