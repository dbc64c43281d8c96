import { type Container, type Directory, dag, type File } from "@dagger.io/dagger"
import { jitiCache, node, run } from "./container.js"
import { gitPackage } from "./lockfile.js"
import { type Manifest, readManifest } from "./manifest.js"
import { codeFiles, migrationFiles, schemaFiles } from "./project.js"
import { Install, packageDir, packagesDir, projectDir, type Settings, toolboxDir } from "./settings.js"

/** The runner over the schema and the migrations, which come last, so that a new one rebuilds nothing else. */
export async function runner(settings: Settings): Promise<Container> {
  const [container, migrations] = await Promise.all([runnerWithoutMigrations(settings), migrationFiles(settings)])
  return container.withDirectory(projectDir, migrations)
}

/** The runner over the schema alone. */
export async function runnerWithoutMigrations(settings: Settings): Promise<Container> {
  if (settings.install === Install.Project) return projectWithoutMigrations(settings)
  const manifest = await readManifest(settings)
  const tools = await withToolbox(node(settings), settings, manifest)
  return tools.withDirectory(projectDir, schemaFiles(settings, manifest))
}

/** The project's own install and all of its files but the migrations: for its generators, its seed and its code. */
export async function projectWithoutMigrations(settings: Settings): Promise<Container> {
  const [manifest, code] = await Promise.all([readManifest(settings), codeFiles(settings)])
  const tools = await withToolbox(await projectInstall(settings, manifest), settings, manifest)
  return tools
    .withDirectory(projectDir, code)
    .withMountedCache(`${packageDir(settings.path)}/node_modules/.cache/jiti`, jitiCache())
}

/** How this module's functions are called, after the word `dagger`, for messages that name one. */
export async function callOf(settings: Settings): Promise<string> {
  const { path, install } = settings
  const name = isRunner(await readManifest(settings)) ? [] : ["lockstep"]
  const given = [
    ...(path === "." ? [] : [`--path=${path}`]),
    ...(install === Install.Project ? ["--install=project"] : []),
  ]
  return ["call", ...name, ...given].join(" ")
}

/** Puts the runner and Prisma at the project's own versions beside the project, as the command `lockstep`. */
async function withToolbox(container: Container, settings: Settings, manifest: Manifest): Promise<Container> {
  const tools = container
    .withMountedDirectory(packagesDir, await toolbox(settings, manifest))
    .withEnvVariable("PATH", `${packagesDir}/.bin:$PATH`, { expand: true })
    .withEnvVariable("LOCKSTEP_CALLED_BY", `dagger ${await callOf(settings)}`)
    .withWorkdir(packageDir(settings.path))
  // The runner's own project imports itself by its name, so its build has to be in it.
  return isRunner(manifest) ? tools.withDirectory("dist", (await selfBuild(settings, manifest)).dist) : tools
}

const toolboxInstall = "npm install --ignore-scripts --no-audit --no-fund --omit=optional --loglevel=error".split(" ")

/** node_modules with prisma and prisma-lockstep: a layer that only their versions change. */
async function toolbox(settings: Settings, manifest: Manifest): Promise<Directory> {
  const tarball = "prisma-lockstep.tgz"
  const runner = await runnerPackage(settings, manifest)
  const dependencies = {
    prisma: versionOf(manifest, "prisma"),
    "prisma-lockstep": typeof runner === "string" ? runner : `file:${tarball}`,
  }
  const empty = node(settings)
    .withWorkdir(toolboxDir)
    .withNewFile("package.json", JSON.stringify({ private: true, dependencies }))
  const ready = typeof runner === "string" ? empty : empty.withFile(tarball, runner)
  return (await run(ready.withExec(toolboxInstall))).directory(packagesDir)
}

/** A version, or the package of a runner that is in no registry: a file, or built from its repository. */
async function runnerPackage(settings: Settings, manifest: Manifest): Promise<string | File> {
  if (isRunner(manifest)) return (await selfBuild(settings, manifest)).packed
  const spec = versionOf(manifest, "prisma-lockstep")
  if (spec.startsWith("file:")) return settings.source.file(spec.slice("file:".length))
  const git = gitPackage(spec)
  if (git === undefined) return spec
  const source = dag.git(git.url).ref(git.ref).tree({ discardGitDir: true })
  const repository = { ...settings, source, path: "." }
  return (await selfBuild(repository, await readManifest(repository))).packed
}

function versionOf(manifest: Manifest, name: string): string {
  const version = manifest.versionOf(name)
  if (version !== undefined) return version
  throw new Error(`This project does not have ${name} yet; type: ${adding[manifest.manager]} ${name}`)
}

const adding = { npm: "npm install --save-dev", pnpm: "pnpm add -D", yarn: "yarn add -D", bun: "bun add -d" } as const

const isRunner = ({ name }: Manifest): boolean => name === "prisma-lockstep"

/** In the runner's own repository: its build, and what `npm pack` makes of it. */
async function selfBuild(settings: Settings, manifest: Manifest): Promise<{ dist: Directory; packed: File }> {
  const { source, path } = settings
  const code = source.directory(path).filter({ include: ["src/**", "*.js", "*.json", "LICENSE", "README.md"] })
  const packing = (await projectInstall(settings, manifest))
    .withWorkdir(packageDir(path))
    .withDirectory(".", code)
    .withDirectory("/packed", dag.directory())
    .withExec(["npm", "pack", "--pack-destination", "/packed"])
    .withExec(["sh", "-c", "mv /packed/*.tgz /packed.tgz"])
  const built = await run(packing)
  return { dist: built.directory("dist"), packed: built.file("/packed.tgz") }
}

/** The files that an install reads, and nothing else: another migration or another source file reinstalls nothing. */
const installFiles = [
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

/** The project's own install, exactly as its lockfile says. */
const projectInstall = async (settings: Settings, manifest: Manifest): Promise<Container> =>
  run(
    node(settings)
      .withMountedCache("/lockstep/.store", dag.cacheVolume(`lockstep-${manifest.manager}`))
      .withEnvVariable("npm_config_store_dir", "/lockstep/.store")
      .withEnvVariable("YARN_CACHE_FOLDER", "/lockstep/.store")
      .withEnvVariable("YARN_NODE_LINKER", "node-modules")
      .withEnvVariable("BUN_INSTALL_CACHE_DIR", "/lockstep/.store")
      .withEnvVariable("CI", "1")
      .withDirectory(projectDir, settings.source.filter({ include: installFiles }))
      .withWorkdir(lockfileDir(manifest))
      .withExec(installCommand(manifest)),
  )

const lockfileDir = ({ lockfile }: Manifest): string => {
  const slash = lockfile?.lastIndexOf("/") ?? -1
  return slash < 0 ? projectDir : `${projectDir}/${lockfile?.slice(0, slash)}`
}

/** The command that installs what the lockfile says, by the package manager's version that the project pins; packages' scripts do not run. */
export function installCommand({
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
