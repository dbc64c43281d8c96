import { type Container, dag } from "@dagger.io/dagger"
import { frozenInstall } from "./frozen.js"
import type { Manifest } from "./manifest.js"
import { node } from "./node.js"
import { project } from "./places.js"
import { installed } from "./run.js"
import type { Setting } from "./setting.js"

/** The files that an install reads, and nothing else: another migration or another source file reinstalls nothing. */
const read = [
  "**/package.json",
  "**/package-lock.json",
  "**/npm-shrinkwrap.json",
  "**/pnpm-lock.yaml",
  "**/pnpm-workspace.yaml",
  "**/.pnpmfile.cjs",
  "**/yarn.lock",
  "**/.yarnrc",
  "**/.yarnrc.yml",
  "**/.yarn/releases/**",
  "**/.yarn/plugins/**",
  "**/.yarn/patches/**",
  "**/bun.lock",
  "**/bun.lockb",
  "**/bunfig.toml",
  "**/.npmrc",
  "**/patches/**",
  "**/*.tgz",
]

/** The project's own frozen install, at the package manager's version that it pins; scripts of packages do not run. */
export const install = async (setting: Setting, manifest: Manifest): Promise<Container> =>
  installed(
    node(setting)
      .withMountedCache("/lockstep/.store", dag.cacheVolume(`lockstep-${manifest.manager}`))
      .withEnvVariable("npm_config_store_dir", "/lockstep/.store")
      .withEnvVariable("YARN_CACHE_FOLDER", "/lockstep/.store")
      .withEnvVariable("YARN_NODE_LINKER", "node-modules")
      .withEnvVariable("BUN_INSTALL_CACHE_DIR", "/lockstep/.store")
      .withEnvVariable("CI", "1")
      .withDirectory(project, setting.source.filter({ include: read }))
      .withWorkdir(installDir(manifest))
      .withExec(frozenInstall(manifest)),
  )

/** Where the lockfile is. */
const installDir = ({ lockfile }: Manifest): string => {
  const slash = lockfile?.lastIndexOf("/") ?? -1
  return slash < 0 ? project : `${project}/${lockfile?.slice(0, slash)}`
}
