import { type LockedVersion, lockedVersion, lockfiles } from "./lockfile.js"
import { inPackage, type Settings } from "./settings.js"

export type PackageManager = keyof typeof lockfiles

/** What the project's package.json and lockfile say about how it is installed. */
export interface Manifest {
  /** The package's own name. */
  readonly name: string
  readonly manager: PackageManager
  /** The manager's pinned version; undefined where nothing pins it. */
  readonly managerVersion: string | undefined
  readonly lockfile: string | undefined
  /** The prisma.config that package.json names for Lockstep, inside the package. */
  readonly configFile: string | undefined
  /**
   * A dependency's locked version, or package.json's range; undefined: not a dependency. A file's path starts from the
   * repository.
   */
  readonly versionOf: (name: string) => LockedVersion | undefined
}

interface PackageJson {
  readonly name?: string
  readonly packageManager?: string
  readonly lockstep?: { readonly config?: string }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

const nothing: PackageJson = {}

const fileOf = (spec: string): string => spec.slice("file:".length)

/** Reads the package's manifest, and the repository's lockfile. Throws where there is no package.json. */
export async function readManifest({ source, path }: Settings): Promise<Manifest> {
  const top = new Set(await source.entries())
  const folder = path === "." ? top : new Set(await source.directory(path).entries())
  if (!folder.has("package.json")) throw new Error(`there is no package.json in ${path}: name the package with --path`)
  const read = async (file: string): Promise<PackageJson> => JSON.parse(await source.file(file).contents())
  const found = findLockfile(folder, (name) => inPackage(path, name)) ?? findLockfile(top, (name) => name)
  const [own, root, text] = await Promise.all([
    read(inPackage(path, "package.json")),
    path !== "." && top.has("package.json") ? read("package.json") : nothing,
    found && !found.path.endsWith(".lockb") ? source.file(found.path).contents() : "",
  ])
  const pinned = /^(npm|pnpm|yarn|bun)@([^+]+)/.exec(own.packageManager ?? root.packageManager ?? "")
  const importer = found?.path.includes("/") ? "." : path
  const versionOf = (name: string) => {
    const inOwn = { ...own.dependencies, ...own.devDependencies }[name]
    const range = inOwn ?? { ...root.dependencies, ...root.devDependencies }[name]
    // Lockfiles differ in which folder a file's path starts from; package.json means its own.
    if (range?.startsWith("file:")) return inOwn ? `file:${inPackage(path, fileOf(range))}` : `file:${fileOf(range)}`
    return range && ((found && lockedVersion({ name: found.name, text }, importer, name)) ?? range)
  }
  return {
    name: own.name ?? "",
    manager: found?.manager ?? (pinned?.[1] as PackageManager | undefined) ?? "npm",
    managerVersion: pinned?.[2],
    lockfile: found?.path,
    configFile: own.lockstep?.config?.replace(/^\.\//, ""),
    versionOf,
  }
}

function findLockfile(entries: ReadonlySet<string>, place: (name: string) => string) {
  for (const manager of Object.keys(lockfiles) as PackageManager[])
    for (const name of lockfiles[manager]) if (entries.has(name)) return { manager, name, path: place(name) }
  return undefined
}
