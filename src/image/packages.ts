import { LockstepError } from "../errors.js"
import { refuseOtherPrisma } from "../project/prisma.js"
import { app, type Entry, type Layer } from "./entry.js"
import { omitsPackage } from "./omissions.js"
import { findPackage, type InstalledPackage, requirePackage } from "./package.js"
import { commandEntries, packageEntries } from "./package-entries.js"
import { type Placed, place } from "./placement.js"
import { bundledPackages, runnerFor, runnerPackage } from "./runner.js"

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
  refuseOtherPrisma(root)
  const found = findPackage("prisma", root) ?? findPackage("prisma", runner.dir)
  if (found) return found
  throw new LockstepError("L1602", "the image needs Prisma's CLI, which is not installed", {
    next: "npm install --save-dev prisma@7, or leave it out with --slim",
  })
}
