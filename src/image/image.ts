import { join } from "node:path"
import type { Folder } from "../history/folder.js"
import type { Project } from "../project/project.js"
import { imageConfig, imageEnvironment } from "./config.js"
import { labelsOf } from "./labels.js"
import { checkPrismaLoads } from "./load-check.js"
import { originOf, webAddress } from "./origin.js"
import { packagesFor } from "./packages.js"
import { migrationsLayer, placesOf, projectLayer } from "./project-entries.js"
import { readProjectManifest } from "./project-manifest.js"
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
  const manifest = readProjectManifest(project.root)
  const places = placesOf(project)
  const packages = packagesFor({ root: project.root, slim, keep })
  const layers = [
    ...packages.layers,
    projectLayer(project, places, manifest, kind),
    migrationsLayer(folder, places.migrations),
  ]
  const origin = originOf(project.root)
  const labels = labelsOf({
    source: request.source ?? webAddress(manifest.repository) ?? origin.source,
    revision: request.revision ?? origin.revision,
    version: request.version ?? manifest.version,
    title: `${manifest.name}-migrations`,
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
      "sbom.cdx.json": sbomOf({ project: manifest, ...packages }),
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
