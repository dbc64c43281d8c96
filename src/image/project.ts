import { basename, isAbsolute, posix, relative, sep } from "node:path"
import type { Folder } from "../history/folder.js"
import { type Manifest, readManifest } from "../project/manifest.js"
import type { Project } from "../project/project.js"
import { schemaPaths } from "../project/schema.js"
import { app, type Entry, type Layer } from "./write.js"

/** What the image takes from the project's package.json. */
export interface ProjectIdentity {
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
  identity: ProjectIdentity,
  image: "slim" | "full",
): Layer {
  const { config: _, schema: __, migrations: ___, ...settings } = identity.settings
  const imageManifest = {
    name: `${identity.name}-migrations`,
    ...(identity.version ? { version: identity.version } : {}),
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
  return schemaPaths(path).map((file) => ({
    path: posix.join(place, relative(path, file).split(sep).join("/")),
    copy: file,
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

/** How the image is to be run, for whoever builds it from the layers. */
export interface ImageConfig {
  readonly schema: "lockstep.image-config/1"
  /** The layers' folders under layers/, in the order in which each is copied onto the image's root. */
  readonly layers: readonly string[]
  readonly workdir: string
  /** Numeric, because Kubernetes' runAsNonRoot cannot judge a name. Any other works as well. */
  readonly user: string
  /** Empty: what the base image has there is a shell script. */
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
}

export const imageConfig = (layers: readonly string[]): ImageConfig => ({
  schema: "lockstep.image-config/1",
  layers,
  workdir: `/${app}`,
  user: "65532:65532",
  entrypoint: [],
  cmd: ["node", `/${app}/node_modules/prisma-lockstep/dist/cli.js`, "deploy"],
})

/** The environment that the image sets. Everything in it must hold on a read-only root, as any user, without a network. */
export function imageEnvironment(
  migrations: string,
  image: "slim" | "full",
  history: "empty" | "not empty",
): Readonly<Record<string, string>> {
  return {
    // A user without an entry in /etc/passwd and without HOME has no home at all, and npm refuses to start.
    HOME: `/${app}`,
    LOCKSTEP_MIGRATIONS: `/${app}/${migrations}`,
    NODE_ENV: "production",
    // What was accepted when the image was made is no surprise when it runs.
    ...(history === "empty" ? { LOCKSTEP_ALLOW_EMPTY: "true" } : {}),
    ...(image === "full"
      ? {
          CHECKPOINT_DISABLE: "1",
          PRISMA_HIDE_UPDATE_MESSAGE: "1",
          PRISMA_SCHEMA_ENGINE_BINARY: `/${app}/node_modules/prisma-lockstep/dist/schema-engine.js`,
          npm_config_cache: "/tmp/npm",
          npm_config_logs_max: "0",
          npm_config_offline: "true",
          npm_config_update_notifier: "false",
        }
      : {}),
  }
}
