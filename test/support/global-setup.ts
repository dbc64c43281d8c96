import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import pg from "pg"
import type { TestProject } from "vitest/node"
import { findBinaries } from "../../src/test-db/binaries.js"
import { ensureCluster } from "../../src/test-db/cluster.js"
import { majors } from "../../src/test-db/majors.js"
import { dataDirectory, pathsOf } from "../../src/test-db/paths.js"
import { down, up } from "../../src/test-db/server.js"
import { buildWhereStale } from "./built.js"
import { repository } from "./cli.js"
import { rolesMayConnect } from "./hba.js"

declare module "vitest" {
  export interface ProvidedContext {
    /** The server that the whole run shares; its role may create databases. */
    serverUrl: string
    /** The data of a server that was never started, to copy, and the file of their password. */
    cluster: { readonly data: string; readonly passwordFile: string }
  }
}

/**
 * One folder for every temporary file of the run, and one PostgreSQL for the whole run: LOCKSTEP_TEST_DATABASE_URL where
 * set, otherwise the embedded one in that folder, of the major version that LOCKSTEP_TEST_POSTGRES names. What killed runs left behind is ended and removed first.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildWhereStale()
  const runs = join(tmpdir(), `lockstep-test-runs-${process.getuid?.()}`)
  await mkdir(runs, { recursive: true, mode: 0o755 })
  await endForgotten(runs)
  const folder = await mkdtemp(join(runs, `${process.pid}-`))
  // For every account, as /tmp is.
  await chmod(folder, 0o1777)
  process.env.TMPDIR = folder
  const template = pathsOf(join(folder, "template"))
  await mkdir(template.stateFolder, { recursive: true })
  const cluster = await ensureCluster(template, await findBinaries())
  project.provide("cluster", { data: dataDirectory(cluster.folder), passwordFile: template.passwordFile })
  const given = process.env.LOCKSTEP_TEST_DATABASE_URL
  const hba = join(folder, "pg_hba.conf")
  await writeFile(hba, rolesMayConnect)
  const settings = {
    max_connections: 200,
    max_prepared_transactions: 10,
    track_activity_query_size: 16_384,
    hba_file: hba,
  }
  const postgres = majors.find((major) => major === process.env.LOCKSTEP_TEST_POSTGRES)
  await symlink(join(repository, "test/matrix/node_modules"), join(folder, "node_modules"))
  project.provide("serverUrl", given ?? (await startServer(folder, { settings, postgres })))
  return async () => {
    await down(folder)
    await rm(folder, { recursive: true })
  }
}

/**
 * Its URL. From PostgreSQL 16 on the password is checked with one round of hashing, not 4096: that is half of what a
 * connection takes, and a test makes dozens.
 */
async function startServer(folder: string, options: Parameters<typeof up>[1]): Promise<string> {
  const { url } = await up(folder, options)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query("SELECT current_setting('server_version_num')::int >= 160000 AS has_rounds")
  if (rows[0]?.has_rounds) {
    await client.query("SET scram_iterations = 1")
    await client.query(`ALTER ROLE postgres PASSWORD ${client.escapeLiteral(new URL(url).password)}`)
  }
  await client.end()
  return url
}

async function endForgotten(runs: string): Promise<void> {
  for (const name of await readdir(runs)) {
    if (isRunning(Number.parseInt(name, 10))) continue
    await down(join(runs, name)).catch(() => {})
    await rm(join(runs, name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
