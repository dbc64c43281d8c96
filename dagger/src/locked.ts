/** What a lockfile says about a dependency: a version, or where it is fetched from. */
export type Locked = string

/** The lockfiles that are read, by package manager. */
export const lockfiles = {
  pnpm: ["pnpm-lock.yaml"],
  npm: ["package-lock.json", "npm-shrinkwrap.json"],
  yarn: ["yarn.lock"],
  bun: ["bun.lock", "bun.lockb"],
} as const

/** The version of `name` that a lockfile resolves for the package in `path`; undefined where it does not say. */
export function locked(file: string, text: string, path: string, name: string): Locked | undefined {
  if (file === "pnpm-lock.yaml") return fromPnpm(text, path, name)
  if (file === "yarn.lock") return fromYarn(text, name)
  if (file === "bun.lock") return fromBun(text, name)
  if (file.endsWith(".json")) return fromNpm(text, path, name)
  return undefined
}

/** importers -> the package's path -> the dependency -> version, which holds the peers in parentheses. */
function fromPnpm(text: string, path: string, name: string): Locked | undefined {
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

function fromNpm(text: string, path: string, name: string): Locked | undefined {
  const packages: Readonly<Record<string, NpmPackage>> = JSON.parse(text).packages ?? {}
  const folders = path === "." ? [""] : [`${path}/`, ""]
  const found = folders.map((folder) => packages[`${folder}node_modules/${name}`]).find((one) => one)
  return found?.resolved && !found.resolved.startsWith("http") ? found.resolved : found?.version
}

/** Both of yarn's formats: a head line of `name@range`s, then version (and resolved or resolution). */
function fromYarn(text: string, name: string): Locked | undefined {
  const entry = section(text, new RegExp(`^"?${literal(name)}@`), 0)
  const head = new RegExp(`^"?${literal(name)}@(?:npm:)?([^",:\\s]+:[^",\\s]+)`, "m").exec(text)?.[1]
  if (head && /^(file|git|github|https?|ssh)/.test(head)) return head.replace(/(#|::).*$/, "")
  return /^ +version:? "?([^"\s]+)"?$/m.exec(entry)?.[1]
}

/** "name": ["name@version", ...]; a tarball stands there without a scheme. */
function fromBun(text: string, name: string): Locked | undefined {
  const found = new RegExp(`"${literal(name)}": \\["${literal(name)}@([^"]+)"`).exec(text)?.[1]
  return found && /^[^:]+\.t(ar\.)?gz$/.test(found) ? `file:${found}` : found
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")
