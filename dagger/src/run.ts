import { type Container, ReturnType } from "@dagger.io/dagger"

/** Runs a command whatever its exit status, so that a failure can say the command's own words. */
export const attempt = (container: Container, ...command: readonly string[]): Container =>
  container.withExec([...command], { expect: ReturnType.Any })

/**
 * What an attempted command printed. Throws that where it failed, because the engine would only name the status. It is
 * run before it is asked about: two questions at once would run it twice where a host's database is bound to it.
 */
export async function printed(attempted: Container): Promise<string> {
  const done = await attempted.sync()
  const [status, output] = await Promise.all([done.exitCode(), done.combinedOutput()])
  if (status === 0) return output
  throw await failure(done, status, `\n${output.trimEnd()}\n${advice(output)}`)
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
    const told = typeof error.extensions === "object" ? error.extensions : {}
    return Object.assign(error, { message: words, extensions: { ...told, stdout: "", stderr: "" } })
  }
  return new Error(words)
}

/** The container after an attempted command, once it has succeeded. */
export async function succeeded(attempted: Container): Promise<Container> {
  const done = await attempted.sync()
  await printed(done)
  return done
}

/** Runs an install now: its failure has the package manager's own words and, unlike an attempt's, is not kept. */
export async function installed(container: Container): Promise<Container> {
  try {
    return await container.sync()
  } catch (error) {
    if (!(error instanceof Error) || !("stdout" in error) || !("stderr" in error)) throw error
    const words = `${error.stdout}\n${error.stderr}`.trim()
    throw words === "" ? error : new Error(`\n${words}\n`)
  }
}

/** The toolbox has the project's configuration but none of its packages. */
const advice = (output: string): string =>
  output.includes("error[L1303]")
    ? "  in a container: a prisma.config that imports the project's packages needs them: dagger call --install=project ...\n"
    : ""

/** Makes an exec differ from every earlier one: what a real database answers is never taken from the cache. */
export const uncached = (container: Container): Container =>
  container.withEnvVariable("LOCKSTEP_CALL", `${Date.now()}-${Math.random()}`)
