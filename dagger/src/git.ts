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
