/** What a lockfile says about a dependency: a version, or where it is fetched from. */
export type LockedVersion = string

/** The lockfiles that are read, by package manager. */
export const lockfiles = {
  pnpm: ["pnpm-lock.yaml"],
  npm: ["package-lock.json", "npm-shrinkwrap.json"],
  yarn: ["yarn.lock"],
  bun: ["bun.lock", "bun.lockb"],
} as const

/** A lockfile's name and content. */
export interface Lockfile {
  readonly name: string
  readonly text: string
}

/** The parser that the module's runtime brings. Source: Bun's documentation, "YAML". */
declare const Bun: { readonly YAML: { parse(text: string): unknown } }

/** The version of a dependency that a lockfile resolves for the package in `path`; undefined where it does not say. */
export function lockedVersion(lockfile: Lockfile, path: string, dependency: string): LockedVersion | undefined {
  const { name, text } = lockfile
  if (name.endsWith(".lockb") || text === "") return undefined
  if (name.endsWith(".json")) return fromNpm(JSON.parse(text), path, dependency)
  if (isClassicYarn(text)) return fromClassicYarn(text, dependency)
  // A bun.lock is JSON with trailing commas, which YAML reads too.
  const parsed = Bun.YAML.parse(text)
  if (name === "pnpm-lock.yaml") return fromPnpm(parsed as PnpmLockfile, path, dependency)
  return name === "bun.lock" ? fromBun(parsed as BunLockfile, dependency) : fromYarn(parsed as YarnLockfile, dependency)
}

interface PnpmLockfile {
  readonly importers?: Readonly<Record<string, Readonly<Record<string, PnpmDependencies | undefined>>>>
}
type PnpmDependencies = Readonly<Record<string, { readonly version: string } | undefined>>

/** The version holds the peers in parentheses. */
function fromPnpm({ importers }: PnpmLockfile, path: string, name: string): LockedVersion | undefined {
  const { dependencies, devDependencies, optionalDependencies } = importers?.[path] ?? {}
  const found = { ...optionalDependencies, ...devDependencies, ...dependencies }[name]
  return found?.version.replace(/\(.*/, "")
}

interface NpmLockfile {
  readonly packages?: Readonly<Record<string, { readonly version?: string; readonly resolved?: string } | undefined>>
}

function fromNpm({ packages = {} }: NpmLockfile, path: string, name: string): LockedVersion | undefined {
  const folders = path === "." ? [""] : [`${path}/`, ""]
  const found = folders.map((folder) => packages[`${folder}node_modules/${name}`]).find((one) => one)
  return found?.resolved && !found.resolved.startsWith("http") ? found.resolved : found?.version
}

type YarnLockfile = Readonly<Record<string, { readonly version: string } | undefined>>

/** The keys are the ranges that were asked for: "prisma@npm:^7.0.0, prisma@npm:^7.10.0". */
function fromYarn(lockfile: YarnLockfile, name: string): LockedVersion | undefined {
  const key = Object.keys(lockfile).find((key) => key.startsWith(`${name}@`))
  return key && (addressOf(key.split(", ")[0]?.slice(name.length + 1)) ?? lockfile[key]?.version)
}

const isClassicYarn = (text: string): boolean => /^# yarn lockfile v1$/m.test(text)

/** Yarn 1's format is its own: a head line of `name@range`s, then `version "…"`. */
function fromClassicYarn(text: string, name: string): LockedVersion | undefined {
  const entries = text.split(/\n(?=\S)/).map((entry) => entry.replaceAll('"', ""))
  const entry = entries.find((entry) => entry.startsWith(`${name}@`))
  const range = entry?.split(/,|:\n/)[0]?.slice(name.length + 1)
  return entry && (addressOf(range) ?? /^ {2}version (.+)$/m.exec(entry)?.[1])
}

/** Where a range names a file or a repository, that. */
const addressOf = (range: string | undefined): string | undefined =>
  range && /^(file|git|github|https?|ssh)[:+]/.test(range)
    ? range.replace(/::.*/, "").replace(/^(file:[^#]+)#.*/, "$1")
    : undefined

interface BunLockfile {
  readonly packages?: Readonly<Record<string, readonly [string, ...unknown[]] | undefined>>
}

/** "name": ["name@version", ...]; a tarball has no scheme there. */
function fromBun({ packages }: BunLockfile, name: string): LockedVersion | undefined {
  const found = packages?.[name]?.[0].slice(name.length + 1)
  return found && /^[^:]+\.t(ar\.)?gz$/.test(found) ? `file:${found}` : found
}

/** A commit of a repository from which a package is built. */
export interface GitPackage {
  readonly url: string
  readonly ref: string
}

/**
 * The repository that a package manager's address of a package names; undefined for a version or a registry's address.
 * Source: npm's documentation, "package-spec"; pnpm writes GitHub's archive of a commit.
 */
export function gitPackage(spec: string): GitPackage | undefined {
  const archive = /^https:\/\/codeload\.github\.com\/([^/]+\/[^/]+)\/tar\.gz\/([^#]+)/.exec(spec)
  if (archive) return { url: `https://github.com/${archive[1]}.git`, ref: archive[2] ?? "HEAD" }
  const short = /^(?:github:)?([\w.-]+\/[\w.-]+?)(?:#(.+))?$/.exec(spec)
  if (short && !spec.startsWith("@")) return { url: `https://github.com/${short[1]}.git`, ref: short[2] ?? "HEAD" }
  const address =
    /^(?:git\+(?=https?:|ssh:|git:))?((?:https?|ssh|git):\/\/[^#]+?\.git|git:\/\/[^#]+)\/?(?:#(.+))?$/.exec(spec)
  if (address) return { url: address[1] ?? "", ref: address[2] ?? "HEAD" }
  const prefixed = /^git\+((?:https?|ssh):\/\/[^#]+)(?:#(.+))?$/.exec(spec)
  return prefixed ? { url: prefixed[1] ?? "", ref: prefixed[2] ?? "HEAD" } : undefined
}
