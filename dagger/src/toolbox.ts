import { type Container, type Directory, dag, type File } from "@dagger.io/dagger"
import { gitPackage } from "./git.js"
import { type Manifest, readManifest } from "./manifest.js"
import { node } from "./node.js"
import { builtPackage, isRunner } from "./own.js"
import { home, packageDir, packages } from "./places.js"
import { installed } from "./run.js"
import type { Setting } from "./setting.js"

const tarball = "prisma-lockstep.tgz"

/** Puts the runner and Prisma at the project's own versions beside the project, as the command `lockstep`. */
export const withToolbox = async (container: Container, setting: Setting, manifest: Manifest): Promise<Container> =>
  withOwnBuild(
    container
      .withMountedDirectory(packages, await toolboxPackages(setting, manifest))
      .withEnvVariable("PATH", `${packages}/.bin:$PATH`, { expand: true })
      .withWorkdir(packageDir(setting.path)),
    setting,
    manifest,
  )

/** The runner's own project imports itself by its name, so its build has to be there. */
const withOwnBuild = async (container: Container, setting: Setting, manifest: Manifest): Promise<Container> =>
  isRunner(manifest) ? container.withDirectory("dist", (await builtPackage(setting, manifest)).dist) : container

/** node_modules with prisma and prisma-lockstep: a layer that only their versions change. */
async function toolboxPackages(setting: Setting, manifest: Manifest): Promise<Directory> {
  const prisma = wanted(manifest, "prisma")
  const runner = await runnerOf(setting, manifest)
  const dependencies = { prisma, "prisma-lockstep": typeof runner === "string" ? runner : `file:${tarball}` }
  const command = [
    "npm",
    "install",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--omit=optional",
    "--loglevel=error",
  ]
  const empty = node(setting)
    .withWorkdir(home)
    .withNewFile("package.json", JSON.stringify({ private: true, dependencies }))
  const ready = typeof runner === "string" ? empty : empty.withFile(tarball, runner)
  return (await installed(ready.withExec(command))).directory(packages)
}

/** A version, or the package of a runner that is in no registry: a file, or built from its repository. */
async function runnerOf(setting: Setting, manifest: Manifest): Promise<string | File> {
  if (isRunner(manifest)) return (await builtPackage(setting, manifest)).packed
  const spec = wanted(manifest, "prisma-lockstep")
  if (spec.startsWith("file:")) return setting.source.file(spec.slice("file:".length))
  const git = gitPackage(spec)
  if (git === undefined) return spec
  const source = { ...setting, source: dag.git(git.url).ref(git.ref).tree({ discardGitDir: true }), path: "." }
  return (await builtPackage(source, await readManifest(source))).packed
}

function wanted(manifest: Manifest, name: string): string {
  const version = manifest.versionOf(name)
  if (version !== undefined) return version
  throw new Error(`This project does not have ${name} yet; type: ${adding[manifest.manager]} ${name}`)
}

const adding = { npm: "npm install --save-dev", pnpm: "pnpm add -D", yarn: "yarn add -D", bun: "bun add -d" } as const
