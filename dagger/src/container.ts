import { type CacheVolume, type Container, type Directory, dag, ReturnType } from "@dagger.io/dagger"
import type { Settings } from "./settings.js"

const certificates = "/lockstep/ca.pem"

/** What jiti keeps of the TypeScript that it has translated: a prisma.config.ts loads in half the time. */
export const jitiCache = (): CacheVolume => dag.cacheVolume("lockstep-jiti")

/** Node with the company's registry and certificates, both mounted, so that neither is in a layer. */
export function node({ nodeImage, npmrc, ca }: Settings): Container {
  let container = dag
    .container()
    .from(nodeImage)
    .withEnvVariable("CHECKPOINT_DISABLE", "1")
    .withEnvVariable("PRISMA_HIDE_UPDATE_MESSAGE", "1")
    .withEnvVariable("npm_config_update_notifier", "false")
    .withMountedCache("/root/.npm", dag.cacheVolume("lockstep-npm"))
    .withMountedCache("/tmp/jiti", jitiCache())
  if (npmrc) container = container.withMountedSecret("/root/.npmrc", npmrc)
  if (ca) container = container.withMountedFile(certificates, ca).withEnvVariable("NODE_EXTRA_CA_CERTS", certificates)
  return container
}

/** Makes an exec differ from every earlier one: what a real database answers is never taken from the cache. */
export const uncached = (container: Container): Container =>
  container.withEnvVariable("LOCKSTEP_CALL", `${Date.now()}-${Math.random()}`)

const answerFile = "/tmp/lockstep-answer"

/**
 * Runs a command whatever its exit status, so that a failure can have the command's own words. Its stdout goes to a
 * file: the engine shows what the command prints on stderr as it comes, and the function's caller prints the answer, so
 * that nothing comes twice, and nothing in the order in which two streams happened to be read.
 */
export const attempt = (container: Container, ...command: readonly string[]): Container =>
  container.withExec(["sh", "-c", `exec "$@" > ${answerFile}`, "sh", ...command], { expect: ReturnType.Any })

/** What an attempted command printed on stdout. Throws where it failed, with all that it printed. */
export const answerOf = async (attempted: Container): Promise<string> => (await outputOf(attempted)).answer

/** All that an attempted command printed: first what it did, then its answer. Throws where it failed, with the same. */
export async function transcriptOf(attempted: Container): Promise<string> {
  const { narration, answer } = await outputOf(attempted)
  return narration + answer
}

/** What an attempted command wrote into a folder, also where it failed. Throws where it wrote nothing, with all that it printed. */
export async function writtenTo(folder: string, attempted: Container): Promise<Directory> {
  const done = await attempted.sync()
  const parent = done.directory(folder.slice(0, folder.lastIndexOf("/")))
  if ((await parent.glob(`${folder.slice(folder.lastIndexOf("/") + 1)}/*`)).length > 0) return done.directory(folder)
  throw new Error(`\n${await transcriptOf(done)}`)
}

/** The container after an attempted command. Throws where it failed, with all that it printed. */
export async function succeeded(attempted: Container): Promise<Container> {
  const done = await attempted.sync()
  await outputOf(done)
  return done
}

/** Synced first: two queries at once would run the command twice where a host's database is bound to it. */
async function outputOf(attempted: Container): Promise<{ narration: string; answer: string }> {
  const done = await attempted.sync()
  const [status, narration, answer] = await Promise.all([
    done.exitCode(),
    done.stderr(),
    done.file(answerFile).contents(),
  ])
  if (status === 0) return { narration, answer }
  const words = `${narration}${answer}`
  throw await failure(done, status, `\n${words.trimEnd()}\n${advice(words)}`)
}

/**
 * An error with a command's own words. `dagger` ends with 1 for any error but an exec's, whose class the SDK keeps to
 * itself: for another status, one is provoked and given the words.
 */
async function failure(done: Container, status: number, words: string): Promise<unknown> {
  if (status === 1) return new Error(words)
  try {
    await done.withExec(["sh", "-c", `exit ${status}`]).sync()
  } catch (error) {
    if (!(error instanceof Error) || !("extensions" in error)) return new Error(words)
    const extensions = typeof error.extensions === "object" ? error.extensions : {}
    return Object.assign(error, { message: words, extensions: { ...extensions, stdout: "", stderr: "" } })
  }
  return new Error(words)
}

/** The toolbox has the project's configuration but none of its packages. */
const advice = (output: string): string =>
  output.includes("error[L1303]")
    ? "  in a container: a prisma.config that imports the project's packages needs them: dagger call --install=project ...\n"
    : ""

/** Runs a command now, such as an install: its failure has its own words and, unlike an attempt's, is not cached. */
export async function run(container: Container): Promise<Container> {
  try {
    return await container.sync()
  } catch (error) {
    if (!(error instanceof Error) || !("stdout" in error) || !("stderr" in error)) throw error
    const words = `${error.stdout}\n${error.stderr}`.trim()
    throw words === "" ? error : new Error(`\n${words}\n`)
  }
}

/**
 * A fetch without a timeout. Bun gives up on a request after five minutes without an answer; the engine answers when a
 * command has ended, and a deploy may take hours. Source: Bun's documentation of fetch, "timeout".
 */
export function withoutTimeout(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  const timeout: RequestInit & { readonly timeout: false } = { timeout: false }
  return (input, init) => fetch(input, { ...init, ...timeout })
}
