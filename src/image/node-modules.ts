import { realpathSync } from "node:fs"
import { dirname, join, parse } from "node:path"
import { LockstepError } from "../errors.js"
import { readManifest } from "../project/manifest.js"

/** A package as it is installed. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Its real folder, which may be in a package manager's store. */
  readonly dir: string
  /** The names of its dependencies, without optional and peer ones. */
  readonly dependencies: readonly string[]
  /** The script of each command, relative to `dir`. */
  readonly bin: Readonly<Record<string, string>>
  /** As in the manifest: by convention an SPDX expression. */
  readonly license: string | undefined
}

/**
 * The package that Node finds by this name from a folder; undefined where it is not installed. Found by its folder,
 * because many packages do not export their package.json.
 */
export function findPackage(name: string, from: string): InstalledPackage | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = packageIn(join(folder, "node_modules", name))
    if (found) return found
    if (folder === parse(folder).root) return undefined
  }
}

/** As findPackage. Errors: L1602 it is not installed. */
export function requirePackage(name: string, from: string): InstalledPackage {
  const found = findPackage(name, from)
  if (found) return found
  throw new LockstepError("L1602", `the image needs the package ${name}, which is not installed`, {
    hint: `It was looked for in node_modules from ${from} upwards.`,
    next: "install the project's packages (with Yarn: nodeLinker: node-modules)",
  })
}

/** The package that a file belongs to, by the package's name. Errors: L1602. */
export function owningPackage(file: string, name: string): InstalledPackage {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const found = packageIn(folder)
    if (found?.name === name) return found
  }
  throw new LockstepError("L1602", `${file} is not inside of the package ${name}`)
}

/** A folder's package; undefined where there is none, or only a nameless package.json that sets a module format. */
function packageIn(dir: string): InstalledPackage | undefined {
  const { name, version, dependencies, bin, license } = readManifest(dir)
  if (name === undefined || version === undefined) return undefined
  return {
    name,
    version,
    dir: realpathSync(dir),
    dependencies: Object.keys(dependencies),
    bin: typeof bin === "string" ? { [name.replace(/^@[^/]*\//, "")]: bin } : (bin ?? {}),
    license,
  }
}

/** What laying out needs to know of a package. */
export interface Placeable {
  readonly name: string
  readonly version: string
  readonly dependencies: readonly string[]
}

/** A package and its path: `node_modules/a`, or `node_modules/a/node_modules/b` where another version has the first. */
export interface Placed<P extends Placeable> {
  readonly package: P
  readonly path: string
  /** The paths of its dependencies. */
  readonly needs: readonly string[]
}

/**
 * Lays out packages and everything that they need as flat as versions allow, the roots first. A dependency goes to the
 * top where its name is free or the same version already exists there, otherwise below the package that needs it.
 * `find` gives a dependency, or undefined for one to be left out.
 */
export function layOut<P extends Placeable>(
  roots: readonly P[],
  find: (name: string, dependent: P) => P | undefined,
): readonly Placed<P>[] {
  const taken = new Map<string, { package: P; needs: string[] }>()
  const queue: string[] = []
  const put = (path: string, found: P): string => {
    taken.set(path, { package: found, needs: [] })
    queue.push(path)
    return path
  }
  for (const root of roots) {
    const path = `node_modules/${root.name}`
    if (!taken.has(path)) put(path, root)
  }
  // Breadth first: a package's own node_modules is complete before any package inside of it looks for dependencies.
  for (const path of queue) {
    const here = taken.get(path)
    if (here === undefined) continue
    for (const name of here.package.dependencies) {
      const found = find(name, here.package)
      if (found === undefined) continue
      const visible = lookUp(name, path).find((candidate) => taken.has(candidate))
      const isSame = visible !== undefined && taken.get(visible)?.package.version === found.version
      const free = visible === undefined ? `node_modules/${name}` : `${path}/node_modules/${name}`
      here.needs.push(isSame ? visible : put(free, found))
    }
  }
  return [...taken].map(([path, { package: found, needs }]) => ({ path, package: found, needs }))
}

/** Where Node looks for a package from inside of another one, nearest first. */
function lookUp(name: string, from: string): string[] {
  const folders = from.split("/node_modules/")
  return folders
    .map((_, at) => `${folders.slice(0, folders.length - at).join("/node_modules/")}/node_modules/${name}`)
    .concat(`node_modules/${name}`)
}
