import { realpathSync } from "node:fs"
import { dirname, join, parse } from "node:path"
import { LockstepError } from "../errors.js"
import { readManifest } from "../project/manifest.js"

/** A package as it is installed. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Its real folder: links into a package manager's store are followed. */
  readonly dir: string
  /** Names of what it cannot run without. Optional and peer dependencies are not among them. */
  readonly dependencies: readonly string[]
  /** Script by command, relative to `dir`. */
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

/** What placing needs to know of a package. */
export interface Placeable {
  readonly name: string
  readonly version: string
  readonly dependencies: readonly string[]
}

/** A package, and where it goes: `node_modules/a`, or `node_modules/a/node_modules/b` where another version is above. */
export interface Placed<P extends Placeable> {
  readonly package: P
  readonly path: string
  /** The places of its dependencies. */
  readonly needs: readonly string[]
}

/**
 * Lays packages and all that they need out as flat as versions allow, the roots first. A dependency goes to the top
 * where its name is free or the same version is there already, otherwise below the package that needs it.
 * `find` gives a dependency, or undefined for one to be left out.
 */
export function place<P extends Placeable>(
  roots: readonly P[],
  find: (name: string, dependent: P) => P | undefined,
): readonly Placed<P>[] {
  const places = new Map<string, { package: P; needs: string[] }>()
  const queue: string[] = []
  const put = (path: string, found: P): string => {
    places.set(path, { package: found, needs: [] })
    queue.push(path)
    return path
  }
  for (const root of roots) {
    const path = `node_modules/${root.name}`
    if (!places.has(path)) put(path, root)
  }
  // Breadth first, so that a package's own folder is complete before what lies below it is looked at.
  for (const path of queue) {
    const here = places.get(path)
    if (here === undefined) continue
    for (const name of here.package.dependencies) {
      const found = find(name, here.package)
      if (found === undefined) continue
      const visible = lookUp(name, path).find((place) => places.has(place))
      const same = visible !== undefined && places.get(visible)?.package.version === found.version
      here.needs.push(
        same ? visible : put(visible === undefined ? `node_modules/${name}` : `${path}/node_modules/${name}`, found),
      )
    }
  }
  return [...places].map(([path, { package: found, needs }]) => ({ path, package: found, needs }))
}

/** Where Node looks for a package from inside of a placed one, nearest first. */
function lookUp(name: string, from: string): string[] {
  const folders = from.split("/node_modules/")
  return folders
    .map((_, at) => `${folders.slice(0, folders.length - at).join("/node_modules/")}/node_modules/${name}`)
    .concat(`node_modules/${name}`)
}

/** A package, or files of one, that the image does without, and why nothing there asks for them. */
export interface Omission {
  /** The package's name; a trailing `*` stands for any rest. */
  readonly package: string
  /** Files left out, by their path in the package; absent: the whole package, and so what only it needs. */
  readonly files?: RegExp
  readonly why: string
}

/**
 * What is left out of Prisma's CLI. A list of omissions, not of needs: what a later release adds is included until
 * somebody measures it, and what a later release loads after all is found by the load check (load-check.ts).
 * Measured with the system calls of `migrate deploy|status|resolve|diff` of Prisma 7.10.
 */
export const omissions: readonly Omission[] = [
  { package: "@electric-sql/*", why: "the database of `prisma dev`" },
  { package: "@prisma/query-plan-executor", why: "the proxy of `prisma dev`" },
  { package: "@prisma/streams-local", why: "the event streams of `prisma dev`" },
  {
    package: "@prisma/dev",
    files: /^dist\/(?!state\.)/,
    why: "the server of `prisma dev`; only its list of running servers is loaded at start",
  },
  { package: "mysql2", why: "Prisma Studio's driver for MySQL" },
  { package: "postgres", why: "Prisma Studio's driver for PostgreSQL" },
  { package: "@radix-ui/*", why: "Prisma Studio's pages" },
  { package: "@visx/*", why: "Prisma Studio's pages" },
  { package: "d3-*", why: "Prisma Studio's pages" },
  { package: "elkjs", why: "Prisma Studio's pages" },
  {
    package: "@prisma/studio-core",
    files: /^dist\/(?!data\/)|\.js$/,
    why: "Prisma Studio's pages, and its ES modules",
  },
  { package: "prisma", files: /^build\/studio\./, why: "Prisma Studio" },
  { package: "prisma", files: /^build\/query_compiler_/, why: "Prisma Client's query compilers: for `generate`" },
  {
    package: "prisma",
    files: /^build\/schema_engine_bg\.wasm$/,
    why: "for engines in a prisma.config; Lockstep's is used",
  },
  { package: "prisma", files: /^build\/(child\.js|xdg-open)$/, why: "calls home and opens browsers" },
  { package: "prisma", files: /^(preinstall|scripts)\//, why: "install scripts" },
  { package: "@prisma/get-platform", files: /^dist\/test-utils\//, why: "its tests" },
  { package: "effect", files: /^(src|dist\/(esm|dts))\//, why: "sources and ES modules; Prisma loads dist/cjs" },
  { package: "fast-check", files: /^lib\/(esm|types)\//, why: "ES modules and types; Prisma loads CommonJS" },
  { package: "*", files: /\.(d\.[cm]?ts|map|tsbuildinfo)$/, why: "types and source maps" },
  { package: "*", files: /(^|\/)(README|CHANGELOG|HISTORY|CONTRIBUTING)(\.[a-z]+)?$/i, why: "documentation" },
  { package: "*", files: /(^|\/)(node_modules|__tests__)\//, why: "dependencies are placed by themselves; tests" },
]

const names = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern

/** Whether a package is left out as a whole. */
export const omitsPackage = (name: string, kept: readonly string[]): boolean =>
  !kept.includes(name) && omissions.some((one) => one.files === undefined && names(one.package, name))

/** Whether a file of a package is left out; `path` is relative to the package, with forward slashes. */
export const omitsFile = (name: string, path: string, kept: readonly string[]): boolean =>
  omissions.some(
    (one) =>
      one.files?.test(path) === true && names(one.package, name) && (one.package === "*" || !kept.includes(name)),
  )
