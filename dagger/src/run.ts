import { type Container, ReturnType, type Secret, type Service } from "@dagger.io/dagger"

/** Runs the runner, or another command, whatever its exit status; its own words are what a failure says. */
export const attempt = (container: Container, command: readonly string[]): Container =>
  container.withExec([...command], { expect: ReturnType.Any })

/** The finished command's output; throws its own words where it failed. */
export async function outputOf(done: Container): Promise<string> {
  const [status, output] = await Promise.all([done.exitCode(), done.combinedOutput()])
  if (status !== 0) throw new Error(`\n${output.trimEnd()}\n`)
  return output
}

/** The name that a bound database has inside of a container. */
const databaseName = "database"

/** Gives a container its database: the URL as a secret, and where one is given the service in place of the URL's host. */
export async function withDatabase(container: Container, url: Secret, database?: Service): Promise<Container> {
  const reached = container.withSecretVariable("DATABASE_URL", url)
  if (!database) return reached
  const port = (await (await database.ports())[0]?.port()) ?? 5432
  return reached
    .withServiceBinding(databaseName, database)
    .withEnvVariable("LOCKSTEP_DATABASE_HOST", `${databaseName}:${port}`)
}

/** Makes an exec differ from every earlier one: what a real database answers is never taken from the cache. */
export const uncached = (container: Container): Container =>
  container.withEnvVariable("LOCKSTEP_CALL", `${Date.now()}-${Math.random()}`)
