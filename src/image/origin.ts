import { execFileSync } from "node:child_process"

/** Where a commit's files come from. */
export interface Origin {
  readonly revision: string | undefined
  /** The remote's address, without user and password. */
  readonly source: string | undefined
}

/** What git says of a folder; nothing where there is no git or no repository, as in a build container. */
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

/** A repository's address for people: no credentials, https in place of ssh; undefined for a folder of this machine. */
export function webAddress(address: string | undefined): string | undefined {
  const text = address?.replace(/^git\+/, "").replace(/^[\w.-]+@([\w.-]+):(?!\/)/, "ssh://$1/")
  const short = /^(?:github:)?([\w-]+\/[\w.-]+)$/.exec(text ?? "")?.[1]
  if (short) return `https://github.com/${short}`
  if (text === undefined || !URL.canParse(text)) return undefined
  const url = new URL(text.replace(/^(ssh|git):/, "https:"))
  if (!["https:", "http:"].includes(url.protocol)) return undefined
  return `${url.protocol}//${url.host}${url.pathname.replace(/\.git$/, "")}`
}
