import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { Folder } from "../history/folder.js"
import type { Project } from "../project/project.js"
import { checkPrismaLoads } from "./omissions.js"
import { type ImageKind, packagesFor } from "./packages.js"
import { identityOf, migrationsLayer, pathsOf, projectLayer } from "./project.js"
import { sbomOf } from "./sbom.js"
import { app, type LayerSize, marker, writeImage } from "./write.js"

export interface ImageRequest {
  readonly project: Project
  readonly folder: Folder
  /** The folder to write. */
  readonly out: string
  readonly kind: ImageKind
  /** "history": only what a new migration changes, which is the last layer and the documents. */
  readonly only: "history" | undefined
  /** Packages that are included although omissions.ts lists them. */
  readonly keep: readonly string[]
  /** The major version of PostgreSQL whose client programs the image holds, for backups; undefined: of none. */
  readonly backupTools: string | undefined
  /** For the labels; undefined: as in package.json and git. */
  readonly source: string | undefined
  readonly revision: string | undefined
  readonly version: string | undefined
}

export interface ImageResult {
  readonly layers: readonly LayerSize[]
  readonly bytes: number
  readonly packages: number
  readonly labels: Readonly<Record<string, string>>
}

/**
 * Writes the parts of the migration image: one folder for each layer, to be copied onto the image's root in their
 * order, and config.json, env.json, labels.json and sbom.cdx.json. The same project gives the same bytes.
 * Errors: L1601 to L1603, L1302, L1304.
 */
export async function assembleImage(request: ImageRequest): Promise<ImageResult> {
  const { project, folder, out, kind, only, keep } = request
  const identity = identityOf(project.root)
  const paths = pathsOf(project)
  const packages = packagesFor({ root: project.root, kind, keep })
  // Undefined in a slim image.
  const prisma = packages.prisma && Number.parseInt(packages.prisma.version, 10)
  const layers = [
    ...packages.layers,
    projectLayer({ project, paths, identity, prisma }),
    migrationsLayer(folder, paths.migrations),
  ]
  const origin = originOf(project.root)
  const labels = labelsOf({
    source: request.source ?? webAddress(identity.repository) ?? origin.source,
    revision: request.revision ?? origin.revision,
    version: request.version ?? identity.version,
    title: `${identity.name}-migrations`,
    lockstep: packages.runner.version,
    prisma: packages.prisma?.version,
    lastMigration: folder.migrations.at(-1)?.name,
    migrations: folder.migrations.length,
    digest: folder.digest,
  })
  const sizes = await writeImage(out, {
    layers: only === "history" ? layers.slice(-1) : layers,
    documents: {
      [marker]: imageConfig(
        layers.map(({ name }) => name),
        request.backupTools,
      ),
      "env.json": imageEnvironment({ migrations: paths.migrations, prisma, isEmpty: folder.migrations.length === 0 }),
      "labels.json": labels,
      "sbom.cdx.json": sbomOf({ project: identity, ...packages }),
    },
    check: async (dir) => {
      const script = packages.prisma?.bin.prisma
      if (script !== undefined && only === undefined)
        await checkPrismaLoads(join(dir, "layers/20-prisma"), { script, version: packages.prisma?.version ?? "" })
    },
  })
  return {
    layers: sizes,
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    packages: packages.placed.length,
    labels,
  }
}

/** How the image is built from the layers, and run. */
interface ImageConfig {
  readonly schema: "lockstep.image-config/1"
  /** The layers' folders under layers/, in the order in which each is copied onto the image's root. */
  readonly layers: readonly string[]
  readonly workdir: string
  /** Numeric, because Kubernetes' runAsNonRoot cannot check a name. Any other user works as well. */
  readonly user: string
  /** Empty: the base image's is a shell script. */
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** What the base image's own package manager is to install first, as root: its name on Alpine and on Debian. */
  readonly systemPackages?: { readonly alpine: readonly string[]; readonly debian: readonly string[] }
}

/** config.json. `backupTools`: the major version of PostgreSQL's client programs; undefined: of none. */
export const imageConfig = (layers: readonly string[], backupTools: string | undefined): ImageConfig => ({
  schema: "lockstep.image-config/1",
  layers,
  workdir: `/${app}`,
  user: "65532:65532",
  entrypoint: [],
  cmd: ["node", `/${app}/node_modules/prisma-lockstep/dist/cli.js`, "deploy"],
  ...(backupTools === undefined
    ? {}
    : {
        systemPackages: {
          alpine: [`postgresql${backupTools}-client`],
          debian: [`postgresql-client-${backupTools}`],
        },
      }),
})

interface Content {
  /** The path of the migrations. */
  readonly migrations: string
  /** The major version of Prisma's CLI, where the image holds it. */
  readonly prisma: number | undefined
  readonly isEmpty: boolean
}

/** The image's environment. It must work on a read-only root, as any user, without a network. */
function imageEnvironment({ migrations, prisma, isEmpty }: Content): Readonly<Record<string, string>> {
  const engine = `/${app}/node_modules/prisma-lockstep/dist/schema-engine.js`
  return {
    // npm does not start for a user without HOME and without an entry in /etc/passwd.
    HOME: `/${app}`,
    LOCKSTEP_MIGRATIONS: `/${app}/${migrations}`,
    NODE_ENV: "production",
    // That there are no migrations was accepted when the image was made.
    ...(isEmpty ? { LOCKSTEP_ALLOW_EMPTY: "true" } : {}),
    ...(prisma === undefined
      ? {}
      : {
          CHECKPOINT_DISABLE: "1",
          PRISMA_HIDE_UPDATE_MESSAGE: "1",
          PRISMA_SCHEMA_ENGINE_BINARY: engine,
          // Older CLIs download one that is missing before they do anything; migrations do not start it.
          ...(prisma < 7 ? { PRISMA_QUERY_ENGINE_LIBRARY: engine } : {}),
          npm_config_cache: "/tmp/npm",
          npm_config_logs_max: "0",
          npm_config_offline: "true",
          npm_config_update_notifier: "false",
        }),
  }
}

/** What the labels are made from. */
interface LabelFacts {
  readonly source: string | undefined
  readonly revision: string | undefined
  readonly version: string | undefined
  readonly title: string
  /** The runner's version. */
  readonly lockstep: string
  /** The version of Prisma's CLI; undefined in a slim image. */
  readonly prisma: string | undefined
  readonly lastMigration: string | undefined
  readonly migrations: number
  readonly digest: string
}

/** The image's labels, ordered by key. Source: the OCI image specification, "Pre-Defined Annotation Keys". */
export function labelsOf(facts: LabelFacts): Readonly<Record<string, string>> {
  const labels: readonly (readonly [string, string | undefined])[] = [
    ["dev.lockstep.history.count", String(facts.migrations)],
    ["dev.lockstep.history.digest", `sha256:${facts.digest}`],
    ["dev.lockstep.history.last", facts.lastMigration],
    ["dev.lockstep.prisma", facts.prisma],
    ["dev.lockstep.version", facts.lockstep],
    ["org.opencontainers.image.revision", facts.revision],
    ["org.opencontainers.image.source", facts.source],
    ["org.opencontainers.image.title", facts.title],
    ["org.opencontainers.image.version", facts.version],
  ]
  return Object.fromEntries(labels.flatMap(([key, value]) => (value ? [[key, value]] : [])))
}

/** Where a commit's files come from. */
interface Origin {
  readonly revision: string | undefined
  /** The remote's address, without user and password. */
  readonly source: string | undefined
}

/** A folder's commit and remote; nothing without git or a repository, as in a build container. */
export function originOf(root: string): Origin {
  return {
    revision: git(root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
    source: webAddress(git(root, "remote", "get-url", "origin")),
  }
}

function git(root: string, ...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return undefined
  }
}

/** A repository's address for a browser: no credentials, https in place of ssh; undefined for a local folder. */
export function webAddress(address: string | undefined): string | undefined {
  const text = address?.replace(/^git\+/, "").replace(/^[\w.-]+@([\w.-]+):(?!\/)/, "ssh://$1/")
  const short = /^(?:github:)?([\w-]+\/[\w.-]+)$/.exec(text ?? "")?.[1]
  if (short) return `https://github.com/${short}`
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text.replace(/^(ssh|git):/, "https:"))
  if (!["https:", "http:"].includes(url.protocol)) return undefined
  return `${url.protocol}//${url.host}${url.pathname.replace(/\.git$/, "")}`
}
