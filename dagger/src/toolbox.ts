import type { Container, Directory, File } from "@dagger.io/dagger"
import { type Manifest, readManifest } from "./manifest.js"
import { node } from "./node.js"
import { builtPackage } from "./own.js"
import { home, inPackage, packageDir, packages } from "./places.js"
import type { Setting } from "./setting.js"
import { historyFiles, settingFiles } from "./views.js"

const tarball = "prisma-lockstep.tgz"

/**
 * The runner and Prisma alone, at the project's own versions: enough for whatever reads the schema and the history
 * without running the project's code.
 */
export async function toolbox(setting: Setting): Promise<Container> {
  const manifest = await readManifest(setting)
  const _files = setting.source
  const dist = manifest.name === "prisma-lockstep" ? (await builtPackage(setting, manifest)).dist : undefined
  const container = node(setting)
    .withMountedDirectory(packages, await toolboxPackages(setting, manifest))
    .withEnvVariable("PATH", `${packages}/.bin:$PATH`, { expand: true })
    .withWorkdir(packageDir(setting.path))
    .withDirectory(packageDir("."), await settingFiles(setting))
  const withDist = dist ? container.withDirectory(`${packageDir(setting.path)}/dist`, dist) : container
  return withDist.withDirectory(packageDir("."), await historyFiles(setting))
}

/** node_modules with prisma and prisma-lockstep: a layer that only their versions change. */
async function toolboxPackages(setting: Setting, manifest: Manifest): Promise<Directory> {
  const prisma = manifest.versionOf("prisma")
  if (prisma === undefined) throw new Error(`this project does not have prisma; type: ${adds(manifest)} prisma`)
  const runner = await runnerSpec(setting, manifest)
  const dependencies = { prisma, "prisma-lockstep": typeof runner === "string" ? runner : `file:${tarball}` }
  let container = node(setting)
    .withWorkdir(home)
    .withNewFile("package.json", JSON.stringify({ private: true, dependencies }))
  if (typeof runner !== "string") container = container.withFile(tarball, runner)
  return container
    .withExec(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional", "--loglevel=error"])
    .directory(packages)
}

/** A version or URL, or the file of a package that is not in a registry. */
async function runnerSpec(setting: Setting, manifest: Manifest): Promise<string | File> {
  if (manifest.name === "prisma-lockstep") return (await builtPackage(setting, manifest)).packed
  const spec = manifest.versionOf("prisma-lockstep")
  if (spec === undefined)
    throw new Error(`this project does not have prisma-lockstep; type: ${adds(manifest)} prisma-lockstep`)
  if (spec.startsWith("file:")) return setting.source.file(inPackage(setting.path, spec.slice("file:".length)))
  return spec
}

const adds = ({ manager }: Manifest): string =>
  ({ npm: "npm install --save-dev", pnpm: "pnpm add -D", yarn: "yarn add -D", bun: "bun add -d" })[manager]
