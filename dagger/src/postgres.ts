import { type Container, dag, type Secret, type Service } from "@dagger.io/dagger"
import { attempt, node, succeeded } from "./container.js"
import type { Settings } from "./settings.js"

/** Gives a container one of the module's own servers. Its data are disposable: the password keeps nobody out. */
export const withServer = (container: Container, server: Service): Container =>
  container
    .withServiceBinding("postgres", server)
    .withEnvVariable("DATABASE_URL", "postgresql://postgres:postgres@postgres:5432/lockstep")
    .withEnvVariable("LOCKSTEP_SHADOW_URL", "postgresql://postgres:postgres@postgres:5432/lockstep")

/** Gives a container a server of its own beside the database, where a plan observes what is pending. */
export const withScratch = (container: Container, server: Service): Container =>
  container
    .withServiceBinding("scratch", server)
    .withEnvVariable("LOCKSTEP_SHADOW_URL", "postgresql://postgres:postgres@scratch:5432/lockstep")

/** The name that a database outside has inside of a container. */
const outside = "database"

/**
 * Gives a container a real database: the URL as a secret, and where the database is only reached from the caller's
 * machine, that service in place of the host that the URL names.
 */
export async function withDatabase(container: Container, url: Secret, database?: Service): Promise<Container> {
  const direct = container.withSecretVariable("DATABASE_URL", url)
  return database ? reachedAt(direct, database) : direct
}

async function reachedAt(container: Container, database: Service): Promise<Container> {
  const [port] = await database.ports()
  return container
    .withServiceBinding(outside, database)
    .withEnvVariable("LOCKSTEP_DATABASE_HOST", `${outside}:${port ? await port.port() : 5432}`)
}

const listFile = "/run/lockstep/targets"

/** Gives a container the list of a fleet's databases, which may hold passwords, as a mounted secret. */
export async function withTargets(container: Container, targets: Secret, database?: Service): Promise<Container> {
  const listed = container.withMountedSecret(listFile, targets).withEnvVariable("LOCKSTEP_TARGETS", listFile)
  return database ? reachedAt(listed, database) : listed
}

/** An empty server, which starts faster than the image's own: its first start is in a layer. */
export async function emptyServer(settings: Settings, purpose: string): Promise<Service> {
  const server = officialServer(settings).withNewFile("/docker-entrypoint-initdb.d/replication.sh", allowBackup, {
    permissions: 0o755,
  })
  return serverWithData(
    settings,
    await dataAfter(settings, node(settings), { server: started(server), steps: [] }),
    purpose,
  )
}

/** A container in which `steps` ran against an empty server, with the server's data afterwards. It may have failed. */
export const migrate = async (settings: Settings, runner: Container, steps: readonly string[]): Promise<Container> =>
  dataAfter(settings, runner, { server: await emptyServer(settings, steps.join(", ")), steps })

/** A server that starts with the data of a `migrate`. `purpose` keeps those apart that must not see each other's changes. */
export async function serverWithData(settings: Settings, migrated: Container, purpose: string): Promise<Service> {
  const data = (await succeeded(migrated)).directory(`${postgresDir}/data`)
  return started(
    officialServer(settings)
      .withEnvVariable("PGDATA", dataDir)
      .withDirectory(dataDir, data, { owner: "postgres" })
      .withEnvVariable("LOCKSTEP_PURPOSE", purpose),
  )
}

/** Outside of the folder that the image declares as a volume, which would not be part of a layer. */
const dataDir = "/var/lib/lockstep/data"

/** PostgreSQL's own image, mounted into the runner's container for its pg_basebackup. */
const postgresDir = "/postgres"

/** Lets the runner's container take a physical copy of the server. */
const allowBackup = 'echo "host replication all all trust" >> "$PGDATA/pg_hba.conf"\n'

/**
 * One command for all of it: were the steps cached one by one, a later one could find a new, empty server. The copy is
 * PostgreSQL's own base backup, so nothing that a migration did is lost in it.
 */
const stepsAndBackup = `set -e
for step in "$@"; do sh -c "$step"; done
cp /etc/hosts /etc/resolv.conf ${postgresDir}/etc/
chroot ${postgresDir} /usr/bin/env PATH="$POSTGRES_PATH" pg_basebackup -d "$DATABASE_URL" -D /data -c fast --no-sync
`

/** Steps that run one after the other against a server. */
interface Steps {
  readonly server: Service
  readonly steps: readonly string[]
}

/** A container in which steps ran, and which then copied the server's data. It may have failed. */
async function dataAfter(settings: Settings, container: Container, { server, steps }: Steps): Promise<Container> {
  const postgres = dag.container().from(settings.postgresImage)
  const ready = withServer(container, server)
    .withEnvVariable("POSTGRES_PATH", (await postgres.envVariable("PATH")) ?? "")
    .withMountedDirectory(postgresDir, postgres.rootfs())
  return attempt(ready, "sh", "-c", stepsAndBackup, "sh", ...steps)
}

/** The official image's server, not started. */
const officialServer = ({ postgresImage }: Settings): Container =>
  dag
    .container()
    .from(postgresImage)
    .withEnvVariable("POSTGRES_PASSWORD", "postgres")
    .withEnvVariable("POSTGRES_DB", "lockstep")
    .withExposedPort(5432)

const server = ["postgres", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=200"]

/** Starts a server's container through the image's own entrypoint. */
const started = (container: Container): Service => container.asService({ useEntrypoint: true, args: server })
