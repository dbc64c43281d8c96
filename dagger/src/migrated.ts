import { type Container, dag, type Service } from "@dagger.io/dagger"
import { withServer } from "./database.js"
import { node } from "./node.js"
import { serverContainer, started } from "./postgres.js"
import { attempt, succeeded } from "./run.js"
import type { Setting } from "./setting.js"

/** Outside of the folder that the image declares as a volume, which would not be part of a layer. */
const dataDir = "/var/lib/lockstep/data"

/** PostgreSQL's own image, mounted into the runner's container for its pg_basebackup. */
const image = "/postgres"

/** Lets the runner's container take a physical copy of the server. */
const allowBackup = 'echo "host replication all all trust" >> "$PGDATA/pg_hba.conf"\n'

/**
 * One command for all of it: were the steps cached one by one, a later one could find a new, empty server. The copy is
 * PostgreSQL's own base backup, so nothing that a migration did is lost in it.
 */
const script = `set -e
for step in "$@"; do sh -c "$step"; done
cp /etc/hosts /etc/resolv.conf ${image}/etc/
chroot ${image} /usr/bin/env PATH="$POSTGRES_PATH" pg_basebackup -d "$DATABASE_URL" -D /data -c fast --no-sync
`

/** A container in which `steps` ran against a server, whose data were copied afterwards. It may have failed. */
async function copied(setting: Setting, container: Container, server: Service, steps: readonly string[]) {
  const postgres = dag.container().from(setting.postgresImage)
  const ready = withServer(container, server)
    .withEnvVariable("POSTGRES_PATH", (await postgres.envVariable("PATH")) ?? "")
    .withMountedDirectory(image, postgres.rootfs())
  return attempt(ready, "sh", "-c", script, "sh", ...steps)
}

/** A server that starts with copied data. `purpose` keeps those apart that must not see each other's changes. */
export async function serverWith(setting: Setting, done: Container, purpose: string): Promise<Service> {
  const data = (await succeeded(done)).directory(`${image}/data`)
  return started(
    serverContainer(setting)
      .withEnvVariable("PGDATA", dataDir)
      .withDirectory(dataDir, data, { owner: "postgres" })
      .withEnvVariable("LOCKSTEP_PURPOSE", purpose),
  )
}

/** An empty server, which starts faster than the image's own: its first start is in a layer. */
export async function emptyServer(setting: Setting, purpose: string): Promise<Service> {
  const server = serverContainer(setting).withNewFile("/docker-entrypoint-initdb.d/replication.sh", allowBackup, {
    permissions: 0o755,
  })
  return serverWith(setting, await copied(setting, node(setting), started(server), []), purpose)
}

/** A container in which `steps` ran against an empty server. It may have failed. */
export const migrate = async (setting: Setting, runner: Container, steps: readonly string[]): Promise<Container> =>
  copied(setting, runner, await emptyServer(setting, steps.join(", ")), steps)
