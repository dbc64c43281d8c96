import { type Container, type Directory, dag, type Platform } from "@dagger.io/dagger"
import { attempt, succeeded } from "./run.js"
import { runner, runnerWithoutHistory } from "./runner.js"
import type { Setting } from "./setting.js"

/** The folder into which the runner writes the image's parts. */
const out = "/image"

/** What an image is to hold and to say. */
export interface ImageRequest {
  readonly slim: boolean
  /** For the labels; where they are not given, what package.json says. */
  readonly repository?: string
  readonly revision?: string
  readonly release?: string
}

/** config.json, as the runner writes it beside the layers. */
interface ImageConfig {
  readonly layers: readonly string[]
  readonly workdir: string
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
}

/** The image's parts as the runner writes them. */
export interface ImageParts {
  /** The last layer, the configuration, the labels and the bill of materials. */
  readonly top: Directory
  /** The same without any migration, and every other layer, so that a new migration rebuilds none of them. */
  readonly base: Directory
}

/** Has the runner write the image's parts. */
export async function imageParts(setting: Setting, request: ImageRequest): Promise<ImageParts> {
  const words = [
    ...(request.slim ? ["--slim"] : []),
    ...(["repository", "revision", "release"] as const).flatMap((name) => {
      const value = request[name]
      return value ? [`--${name === "repository" ? "source" : name}`, value] : []
    }),
  ]
  const write = async (container: Container, ...more: readonly string[]) =>
    (await succeeded(attempt(container, "lockstep", "image", "--out", out, ...words, ...more))).directory(out)
  const [top, base] = await Promise.all([
    runner(setting).then((whole) => write(whole, "--only", "history")),
    runnerWithoutHistory(setting).then((less) => write(less, "--allow-empty")),
  ])
  return { top, base }
}

/** Puts the parts together on Node's image. Nothing in them is native, so any platform's image is made on any other. */
export async function assemble(
  { nodeImage }: Setting,
  { top, base }: ImageParts,
  platform?: Platform,
): Promise<Container> {
  const read = async <T>(name: string): Promise<T> => JSON.parse(await top.file(name).contents())
  const config = await read<ImageConfig>("config.json")
  const environment = await read<Readonly<Record<string, string>>>("env.json")
  const labels = await read<Readonly<Record<string, string>>>("labels.json")
  let image = dag.container(platform ? { platform } : {}).from(nodeImage)
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
