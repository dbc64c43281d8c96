import { type Container, type Directory, dag, type Platform, type Secret } from "@dagger.io/dagger"
import { attempt, run, succeeded } from "./container.js"
import { runner, runnerWithoutMigrations } from "./packages.js"
import { emptyServer, withServer } from "./postgres.js"
import type { Settings } from "./settings.js"

/** What an image holds, and its labels; those that are missing come from package.json and git. */
export interface ImageRequest {
  readonly slim: boolean
  /** PostgreSQL's major version whose pg_dump and pg_restore it holds. */
  readonly backupTools?: string
  readonly repository?: string
  readonly revision?: string
  readonly release?: string
}

/** The image's parts as the runner writes them. */
export interface ImageParts {
  /** The last layer, the configuration, the labels and the bill of materials. */
  readonly top: Directory
  /** The same without any migration, and every other layer, so that a new migration rebuilds none of them. */
  readonly base: Directory
}

/** The folder into which the runner writes. */
const out = "/image"

/** Has the runner write the image's parts. */
export async function imageParts(settings: Settings, request: ImageRequest): Promise<ImageParts> {
  const { slim, backupTools, repository, revision, release } = request
  const labels = Object.entries({ source: repository, revision, release })
  const tools = backupTools ? ["--backup-tools", backupTools] : []
  const options = [
    ...(slim ? ["--slim"] : []),
    ...tools,
    ...labels.flatMap(([name, text]) => (text ? [`--${name}`, text] : [])),
  ]
  const write = async (container: Container, ...more: readonly string[]) =>
    (await succeeded(attempt(container, "lockstep", "image", "--out", out, ...options, ...more))).directory(out)
  const [top, base] = await Promise.all([
    runner(settings).then((all) => write(all, "--only", "history")),
    runnerWithoutMigrations(settings).then((less) => write(less, "--allow-empty")),
  ])
  return { top, base }
}

/** config.json, as the runner writes it beside the layers. */
interface ImageConfig {
  readonly layers: readonly string[]
  readonly workdir: string
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** What the base image's package manager installs first: by its name on Alpine and on Debian. */
  readonly systemPackages?: { readonly alpine: readonly string[]; readonly debian: readonly string[] }
}

/** Installs packages with whichever package manager the image has. */
const installing = ({ alpine, debian }: NonNullable<ImageConfig["systemPackages"]>): string =>
  `if command -v apk >/dev/null; then apk add --no-cache ${alpine.join(" ")}; else apt-get update && apt-get install -y --no-install-recommends ${debian.join(" ")} && rm -rf /var/lib/apt/lists/*; fi`

/** Puts the parts together on Node's image. Nothing in them is native, so any platform's image is made on any other. */
export async function assemble(
  { nodeImage }: Settings,
  { top, base }: ImageParts,
  platform?: Platform,
): Promise<Container> {
  const read = async <T>(name: string): Promise<T> => JSON.parse(await top.file(name).contents())
  const config = await read<ImageConfig>("config.json")
  const environment = await read<Readonly<Record<string, string>>>("env.json")
  const labels = await read<Readonly<Record<string, string>>>("labels.json")
  let image = dag.container(platform ? { platform } : {}).from(nodeImage)
  if (config.systemPackages) image = image.withUser("root").withExec(["sh", "-c", installing(config.systemPackages)])
  for (const layer of config.layers) {
    const parts = layer === config.layers.at(-1) ? top : base
    image = image.withDirectory("/", parts.directory(`layers/${layer}`))
  }
  for (const [name, value] of Object.entries(environment)) image = image.withEnvVariable(name, value)
  for (const [name, value] of Object.entries(labels)) image = image.withLabel(name, value)
  return image
    .withWorkdir(config.workdir)
    .withUser(config.user)
    .withEntrypoint([...config.entrypoint])
    .withDefaultArgs([...config.cmd])
}

/** Tests the image on this machine's platform, and returns what the tests printed. Throws where one failed. */
export async function testImage(settings: Settings, request: ImageRequest): Promise<string> {
  const parts = await imageParts(settings, request)
  const [image, base] = await Promise.all([
    assemble(settings, parts),
    assemble(settings, { top: parts.base, base: parts.base }),
  ])
  return (await Promise.all([deployTest(settings, image), replicaTest(settings, base)])).join("")
}

/** What clusters run on. */
export const usualPlatforms = ["linux/amd64", "linux/arm64"] as Platform[]

/** One image a platform. */
export type Images = readonly [Container, ...Container[]]

/** Tested images, one a platform; by default this machine's. */
export async function testedImages(
  settings: Settings,
  request: ImageRequest,
  platforms: readonly Platform[],
): Promise<Images> {
  await testImage(settings, request)
  const parts = await imageParts(settings, request)
  const [first, ...others] = platforms
  const rest = await Promise.all(others.map((platform) => assemble(settings, parts, platform)))
  return [await assemble(settings, parts, first), ...rest]
}

/** A registry's user. */
export interface Login {
  readonly username?: string
  readonly password?: Secret
}

/** Publishes the images of all platforms as one at every address, and returns the references with their digests. */
export async function publish(
  [first, ...others]: Images,
  addresses: readonly string[],
  { username, password }: Login,
): Promise<string[]> {
  const references: string[] = []
  for (const address of addresses) {
    const registry = address.split("/")[0] ?? address
    const image = username && password ? first.withRegistryAuth(registry, username, password) : first
    references.push(await image.publish(address, { platformVariants: others }))
  }
  return references
}

/** A migration that fails in its third line, after the last of the history. */
const failing = "-- fails\n\nSELECT missing_column;\n"

const scripts = (): Directory => dag.currentModule().source().directory("smoke")

const migrationsIn = async (image: Container): Promise<string> => (await image.envVariable("LOCKSTEP_MIGRATIONS")) ?? ""

/** Tests an image with its own migrations: it deploys them, and reports one that fails. */
async function deployTest(settings: Settings, image: Container): Promise<string> {
  const migrations = await migrationsIn(image)
  const broken = image.withNewFile(`${migrations}/99991231235959_fails/migration.sql`, failing).directory(migrations)
  return smokeTest(settings, image.withMountedDirectory("/broken", broken), "deploy")
}

/**
 * Starts five replicas of an image at once, with migrations of which one takes a while and one runs outside of a
 * transaction. They are always the same, so that only another runner, Prisma or schema needs this again.
 */
const replicaTest = async (settings: Settings, image: Container): Promise<string> =>
  smokeTest(settings, image.withMountedDirectory(await migrationsIn(image), scripts().directory("history")), "replicas")

/** Runs a script in an image on an empty server, as a user that may write nowhere. */
async function smokeTest(settings: Settings, image: Container, script: "deploy" | "replicas"): Promise<string> {
  const ready = image
    .withMountedDirectory("/smoke", scripts())
    .withMountedDirectory("/tmp", dag.directory())
    .withUser("54321:54321")
  const command = ["node", `/smoke/${script}.mjs`, ...(await image.defaultArgs())]
  const done = await run(withServer(ready, await emptyServer(settings, script)).withExec(command))
  return done.stdout()
}
