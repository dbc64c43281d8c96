import { execFileSync } from "node:child_process"
import { join } from "node:path"
import type { Folder } from "../history/folder.js"
import type { Project } from "../project/project.js"
import { checkPrismaLoads } from "./load-check.js"
import { packagesFor } from "./packages.js"
import { identityOf, imageConfig, imageEnvironment, migrationsLayer, placesOf, projectLayer } from "./project.js"
import { sbomOf } from "./sbom.js"
import { type LayerSize, marker, writeImage } from "./write.js"

export interface ImageRequest {
  readonly project: Project
  readonly folder: Folder
  /** Where to write. */
  readonly out: string
  /** Without Prisma's CLI. */
  readonly slim: boolean
  /** "history": only what a migration changes, which is the last layer and the documents. */
  readonly only: "history" | undefined
  /** Packages that are included though omissions.ts leaves them out. */
  readonly keep: readonly string[]
  /** For the labels; undefined: what package.json and git say. */
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
 * Writes the parts of the migration image: one folder a layer, each to be copied onto the image's root, and
 * config.json, env.json, labels.json and sbom.cdx.json beside them. The same project gives the same bytes.
 * Errors: L1601 to L1603, L1302, L1304.
 */
export async function assembleImage(request: ImageRequest): Promise<ImageResult> {
  const { project, folder, out, slim, only, keep } = request
  const kind = slim ? "slim" : "full"
  const identity = identityOf(project.root)
  const places = placesOf(project)
  const packages = packagesFor({ root: project.root, slim, keep })
  const layers = [
    ...packages.layers,
    projectLayer(project, places, identity, kind),
    migrationsLayer(folder, places.migrations),
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
      [marker]: imageConfig(layers.map(({ name }) => name)),
      "env.json": imageEnvironment(places.migrations, kind, folder.migrations.length === 0 ? "empty" : "not empty"),
      "labels.json": labels,
      "sbom.cdx.json": sbomOf({ project: identity, ...packages }),
    },
    check: async (dir) => {
      const script = packages.prisma?.bin.prisma
      if (script !== undefined && only === undefined) await checkPrismaLoads(join(dir, "layers/20-prisma"), script)
    },
  })
  return {
    layers: sizes,
    bytes: sizes.reduce((sum, { bytes }) => sum + bytes, 0),
    packages: packages.placed.length,
    labels,
  }
}

/** What the labels say. */
export interface LabelFacts {
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
function labelsOf(facts: LabelFacts): Readonly<Record<string, string>> {
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
export interface Origin {
  readonly revision: string | undefined
  /** The remote's address, without user and password. */
  readonly source: string | undefined
}

/** What git says of a folder; nothing where there is no git or no repository, as in a build container. */
function originOf(root: string): Origin {
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

/** A repository's address for people: no credentials, https in place of ssh; undefined for a folder of this machine. */
export function webAddress(address: string | undefined): string | undefined {
  const text = address?.replace(/^git\+/, "").replace(/^[\w.-]+@([\w.-]+):(?!\/)/, "ssh://$1/")
  const short = /^(?:github:)?([\w-]+\/[\w.-]+)$/.exec(text ?? "")?.[1]
  if (short) return `https://github.com/${short}`
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text.replace(/^(ssh|git):/, "https:"))
  if (!["https:", "http:"].includes(url.protocol)) return undefined
  return `${url.protocol}//${url.host}${url.pathname.replace(/\.git$/, "")}`
}
