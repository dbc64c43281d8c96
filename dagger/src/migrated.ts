import { type Container, dag, type Directory, type Service } from "@dagger.io/dagger"
import { serverContainer, started, testUrl } from "./postgres.js"
import { attempt, outputOf } from "./run.js"
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

/** A server's data after `steps` ran against it: a layer, rebuilt when the runner's container or the steps change. */
async function dataAfter(setting: Setting, runner: Container, steps: readonly string[]): Promise<Directory> {
  const postgres = dag.container().from(setting.postgresImage)
  const server = serverContainer(setting).withNewFile("/docker-entrypoint-initdb.d/replication.sh", allowBackup, {
    permissions: 0o755,
  })
  const done = attempt(
    runner
      .withServiceBinding("postgres", started(server))
      .withEnvVariable("DATABASE_URL", testUrl("postgres"))
      .withEnvVariable("POSTGRES_PATH", (await postgres.envVariable("PATH")) ?? "")
      .withMountedDirectory(image, postgres.rootfs()),
    ["sh", "-c", script, "sh", ...steps],
  )
  await outputOf(done)
  return done.directory(`${image}/data`)
}

/** A server that starts with what `steps` left in its database. `purpose` keeps those apart that must not share data. */
export async function serverAfter(
  setting: Setting,
  runner: Container,
  steps: readonly string[],
  purpose: string,
): Promise<Service> {
  const data = await dataAfter(setting, runner, steps)
  return started(
    serverContainer(setting)
      .withEnvVariable("PGDATA", dataDir)
      .withEnvVariable("LOCKSTEP_PURPOSE", purpose)
      .withDirectory(dataDir, data, { owner: "postgres" }),
  )
}
