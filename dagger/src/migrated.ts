import { type Container, type Directory, dag, type Service } from "@dagger.io/dagger"
import { withServer } from "./database.js"
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

/** A container in which `steps` ran against a new server, and the server's data were copied. It may have failed. */
export async function migrate(setting: Setting, runner: Container, steps: readonly string[]): Promise<Container> {
  const postgres = dag.container().from(setting.postgresImage)
  const server = serverContainer(setting).withNewFile("/docker-entrypoint-initdb.d/replication.sh", allowBackup, {
    permissions: 0o755,
  })
  const ready = withServer(runner, started(server))
    .withEnvVariable("POSTGRES_PATH", (await postgres.envVariable("PATH")) ?? "")
    .withMountedDirectory(image, postgres.rootfs())
  return attempt(ready, "sh", "-c", script, "sh", ...steps)
}

/** The server's data that `migrate` copied. */
export const copiedData = (migrated: Container): Directory => migrated.directory(`${image}/data`)

/** A server that starts with copied data. `purpose` keeps those apart that must not see each other's changes. */
export async function serverWith(setting: Setting, migrated: Container, purpose: string): Promise<Service> {
  const data = copiedData(await succeeded(migrated))
  return started(
    serverContainer(setting)
      .withEnvVariable("PGDATA", dataDir)
      .withEnvVariable("LOCKSTEP_PURPOSE", purpose)
      .withDirectory(dataDir, data, { owner: "postgres" }),
  )
}
