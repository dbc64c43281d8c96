import type { Manifest } from "./manifest.js"

/** The command of a frozen install, at the package manager's version that the project pins; scripts of packages do not run. */
export function frozenInstall({
  manager,
  managerVersion,
  lockfile,
}: Pick<Manifest, "manager" | "managerVersion" | "lockfile">): string[] {
  const pinned = (name: string, fallback: string) => ["npx", "--yes", `${name}@${managerVersion ?? fallback}`]
  if (manager === "pnpm") return [...pinned("pnpm", "10"), "install", "--frozen-lockfile", "--ignore-scripts"]
  if (manager === "bun") return [...pinned("bun", "1"), "install", "--frozen-lockfile", "--ignore-scripts"]
  if (manager === "yarn" && Number.parseInt(managerVersion ?? "1", 10) > 1)
    return [...pinned("@yarnpkg/cli-dist", "4"), "install", "--immutable", "--mode=skip-build"]
  if (manager === "yarn") return [...pinned("yarn", "1"), "install", "--frozen-lockfile", "--ignore-scripts"]
  const npm = managerVersion ? pinned("npm", managerVersion) : ["npm"]
  return [...npm, lockfile ? "ci" : "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
}
