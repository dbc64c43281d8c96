import { execFileSync } from "node:child_process"

/** What the labels are made from. */
interface LabelFacts {
  readonly source: string | undefined
  readonly revision: string | undefined
  readonly version: string | undefined
  readonly title: string
  /** The runner's version. */
  readonly lockstep: string
  /** The version of Prisma's CLI; undefined in a slim image. */
  readonly prisma: string | undefined
  readonly lastMigration: string | undefined
  readonly migrations: number
  readonly digest: string
}

/** The image's labels, ordered by key. Source: the OCI image specification, "Pre-Defined Annotation Keys". */
export function labelsOf(facts: LabelFacts): Readonly<Record<string, string>> {
  const labels: readonly (readonly [string, string | undefined])[] = [
    ["dev.lockstep.history.count", String(facts.migrations)],
    ["dev.lockstep.history.digest", `sha256:${facts.digest}`],
    ["dev.lockstep.history.last", facts.lastMigration],
    ["dev.lockstep.prisma", facts.prisma],
    ["dev.lockstep.version", facts.lockstep],
    ["org.opencontainers.image.revision", facts.revision],
    ["org.opencontainers.image.source", facts.source],
    ["org.opencontainers.image.title", facts.title],
    ["org.opencontainers.image.version", facts.version],
  ]
  return Object.fromEntries(labels.flatMap(([key, value]) => (value ? [[key, value]] : [])))
}

/** Where a commit's files come from. */
interface Origin {
  readonly revision: string | undefined
  /** The remote's address, without user and password. */
  readonly source: string | undefined
}

/** A folder's commit and remote; nothing without git or a repository, as in a build container. */
export function originOf(root: string): Origin {
  return {
    revision: git(root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
    source: webAddress(git(root, "remote", "get-url", "origin")),
  }
}

function git(root: string, ...args: string[]): string | undefined {
  try {
    return execFileSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim()
  } catch {
    return undefined
  }
}

/** A repository's address for a browser: no credentials, https in place of ssh; undefined for a local folder. */
export function webAddress(address: string | undefined): string | undefined {
  const text = address?.replace(/^git\+/, "").replace(/^[\w.-]+@([\w.-]+):(?!\/)/, "ssh://$1/")
  const short = /^(?:github:)?([\w-]+\/[\w.-]+)$/.exec(text ?? "")?.[1]
  if (short) return `https://github.com/${short}`
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text.replace(/^(ssh|git):/, "https:"))
  if (!["https:", "http:"].includes(url.protocol)) return undefined
  return `${url.protocol}//${url.host}${url.pathname.replace(/\.git$/, "")}`
}
