import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { down, up } from "../src/postgres/embedded/server.js"
import { buildWhereStale } from "./built.js"

declare module "vitest" {
  export interface ProvidedContext {
    /** The server that the whole run shares; its role may create databases. */
    serverUrl: string
  }
}

/**
 * One PostgreSQL for the whole run: LOCKSTEP_TEST_DATABASE_URL where set, otherwise the embedded one in a project
 * folder of its own. Servers that killed runs left behind are ended first.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildWhereStale()
  const given = process.env.LOCKSTEP_TEST_DATABASE_URL
  if (given) {
    project.provide("serverUrl", given)
    return async () => {}
  }
  const runs = join(tmpdir(), `lockstep-test-runs-${process.getuid?.()}`)
  await mkdir(runs, { recursive: true, mode: 0o755 })
  await endForgotten(runs)
  const folder = await mkdtemp(join(runs, `${process.pid}-`))
  // The server's account has to pass through.
  await chmod(folder, 0o755)
  const server = await up(folder, { settings: { max_connections: 200, max_prepared_transactions: 10 } })
  project.provide("serverUrl", server.url)
  return async () => {
    await down(folder)
    await rm(folder, { recursive: true })
  }
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
