import type { Container, Secret, Service } from "@dagger.io/dagger"
import { testUrl } from "./postgres.js"

/** The name that a database outside has inside of a container. */
const outside = "database"

/**
 * Gives a container a real database: the URL as a secret, and where the database is only reached from the caller's
 * machine, that service in place of the host that the URL names.
 */
export async function withDatabase(container: Container, url: Secret, database?: Service): Promise<Container> {
  const told = container.withSecretVariable("DATABASE_URL", url)
  if (!database) return told
  const [port] = await database.ports()
  return told
    .withServiceBinding(outside, database)
    .withEnvVariable("LOCKSTEP_DATABASE_HOST", `${outside}:${port ? await port.port() : 5432}`)
}

/** Gives a container one of the module's own servers. */
export const withServer = (container: Container, server: Service): Container =>
  container.withServiceBinding("postgres", server).withEnvVariable("DATABASE_URL", testUrl("postgres"))
