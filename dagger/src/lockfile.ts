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

/** The version of a dependency that a lockfile resolves for the package in `path`; undefined where it does not say. */
export function lockedVersion(lockfile: Lockfile, path: string, dependency: string): LockedVersion | undefined {
  const { name, text } = lockfile
  if (name === "pnpm-lock.yaml") return fromPnpm(text, path, dependency)
  if (name === "yarn.lock") return fromYarn(text, dependency)
  if (name === "bun.lock") return fromBun(text, dependency)
  if (name.endsWith(".json")) return fromNpm(text, path, dependency)
  return undefined
}

/** importers -> the package's path -> the dependency -> version, which holds the peers in parentheses. */
function fromPnpm(text: string, path: string, name: string): LockedVersion | undefined {
  const importer = section(text, new RegExp(`^  ['"]?${literal(path)}['"]?:$`), 2)
  const dependency = section(importer, new RegExp(`^      ['"]?${literal(name)}['"]?:$`), 6)
  return /^ +version: ['"]?([^\s'"(]+)/m.exec(dependency)?.[1]
}

/** The lines below the first that matches, as long as they are indented deeper. */
function section(text: string, head: RegExp, indent: number): string {
  const lines = text.split("\n")
  const start = lines.findIndex((line) => head.test(line))
  if (start < 0) return ""
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => line.trim() !== "" && line.search(/\S/) <= indent)
  return rest.slice(0, end < 0 ? undefined : end).join("\n")
}

interface NpmPackage {
  readonly version?: string
  readonly resolved?: string
}

function fromNpm(text: string, path: string, name: string): LockedVersion | undefined {
  const packages: Readonly<Record<string, NpmPackage>> = JSON.parse(text).packages ?? {}
  const folders = path === "." ? [""] : [`${path}/`, ""]
  const found = folders.map((folder) => packages[`${folder}node_modules/${name}`]).find((one) => one)
  return found?.resolved && !found.resolved.startsWith("http") ? found.resolved : found?.version
}

/** Both of yarn's formats: a head line of `name@range`s, then version (and resolved or resolution). */
function fromYarn(text: string, name: string): LockedVersion | undefined {
  const entry = section(text, new RegExp(`^"?${literal(name)}@`), 0)
  const head = new RegExp(`^"?${literal(name)}@(?:npm:)?([^",:\\s]+:[^",\\s]+)`, "m").exec(text)?.[1]
  if (head && /^(file|git|github|https?|ssh)/.test(head)) return head.replace(/(#|::).*$/, "")
  return /^ +version:? "?([^"\s]+)"?$/m.exec(entry)?.[1]
}

/** "name": ["name@version", ...]; a tarball has no scheme there. */
function fromBun(text: string, name: string): LockedVersion | undefined {
  const found = new RegExp(`"${literal(name)}": \\["${literal(name)}@([^"]+)"`).exec(text)?.[1]
  return found && /^[^:]+\.t(ar\.)?gz$/.test(found) ? `file:${found}` : found
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")

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
