import { existsSync, readdirSync } from "node:fs"
import { chmod } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join, resolve } from "node:path"
import pg from "pg"
import { build } from "rolldown"
import type { History } from "./fixtures.js"
import type { Contender } from "./measure.js"

const require = createRequire(import.meta.url)
const cli = resolve("dist/cli.js")
const engine = resolve("node_modules/.cache/lockstep-bench/stock-engine.js")
const prismaCli = join(dirname(require.resolve("prisma/package.json")), "build", "index.js")
const dbmate = resolve("node_modules/.bin/dbmate")
const dbmateNative = require.resolve(`@dbmate/${process.platform}-${process.arch}/bin/dbmate`, {
  paths: [dirname(require.resolve("dbmate/package.json"))],
})
/** Debian's own psql on PATH is a program in Perl that starts this one. */
const debian = "/usr/lib/postgresql"
const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []
const psql = [...versions.sort().reverse(), ...(process.env.PATH ?? "").split(":")]
  .map((folder) => join(folder, "psql"))
  .find((path) => existsSync(path))

/** A database of its own for each tool, so that all of them can be up to date at once. */
export class Databases {
  constructor(private readonly server: string) {}

  url(name: string): string {
    const url = new URL(this.server)
    url.pathname = `/${name}`
    return url.href
  }

  async recreate(name: string): Promise<void> {
    const client = new pg.Client({ connectionString: this.server })
    await client.connect()
    await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await client.query(`CREATE DATABASE ${name}`)
    await client.end()
  }
}

/** Bundles Prisma's engine as Prisma has it; inside of node_modules, so that its packages are found. */
export async function buildStockEngine(): Promise<void> {
  await build({
    input: "bench/stock-engine.ts",
    external: [/^@prisma\//, "libpg-query", "pg-native"],
    platform: "node",
    output: { file: engine, format: "esm", codeSplitting: false },
  })
  await chmod(engine, 0o755)
}

export type Verb = "deploy" | "status"

/** The same work by each tool; psql only applies, and has no history to ask. */
export function contenders(history: History, databases: Databases, verb: Verb, fresh: boolean): readonly Contender[] {
  const contender = (name: string, command: readonly string[], env: Record<string, string> = {}): Contender => {
    const database = `bench_${name.toLowerCase().replace(/\W/g, "_")}_${history.files.length}`
    const url = databases.url(database)
    const prepare = fresh ? { prepare: () => databases.recreate(database) } : {}
    return { name, command, env: { DATABASE_URL: url, ...env }, cwd: history.root, ...prepare }
  }
  const dbmateEnv = { DBMATE_MIGRATIONS_DIR: history.dbmate, DBMATE_NO_DUMP_SCHEMA: "true" }
  const withSsl = (one: Contender): Contender => ({
    ...one,
    env: { ...one.env, DATABASE_URL: `${one.env?.DATABASE_URL}?sslmode=disable` },
  })
  const verbOfDbmate = verb === "deploy" ? "migrate" : "status"
  const prismaEnv = { PRISMA_SCHEMA_ENGINE_BINARY: engine, CHECKPOINT_DISABLE: "1", PRISMA_HIDE_UPDATE_MESSAGE: "1" }
  return [
    contender("lockstep", [process.execPath, cli, verb]),
    withSsl(contender("dbmate (npm)", [dbmate, verbOfDbmate], dbmateEnv)),
    withSsl(contender("dbmate (native)", [dbmateNative, verbOfDbmate], dbmateEnv)),
    contender("Prisma CLI", [process.execPath, prismaCli, "migrate", verb], prismaEnv),
    ...(psql && fresh ? [psqlContender(contender, history, databases)] : []),
  ]
}

/** A plan observed on the server of `scratch`, where the applied history is kept as a template, and the estimate. */
export function planContenders(history: History, databases: Databases, scratch: string): readonly Contender[] {
  const env = { DATABASE_URL: databases.url(`bench_lockstep_${history.files.length}`), LOCKSTEP_SHADOW_URL: scratch }
  const plan = (name: string, ...options: readonly string[]): Contender => ({
    ...{ name, env, cwd: history.root },
    command: [process.execPath, cli, "plan", ...options],
  })
  return [plan("observed"), plan("estimate", "--estimate")]
}

function psqlContender(
  contender: (name: string, command: readonly string[]) => Contender,
  history: History,
  databases: Databases,
): Contender {
  const url = databases.url(`bench_psql_${history.files.length}`)
  return contender("psql", [psql ?? "psql", "-qXv", "ON_ERROR_STOP=1", "-f", join(history.root, "psql.sql"), url])
}

/** A list of databases, and how many of them at once. */
interface FleetList {
  /** A file with a URL a line. */
  readonly list: string
  readonly concurrency: number
}

/** The deploy of a fleet. */
export const fleetContender = ({ root }: History, { list, concurrency }: FleetList): Contender => ({
  name: "lockstep deploy --targets",
  command: [process.execPath, cli, "deploy", "--targets", list, "--concurrency", String(concurrency)],
  cwd: root,
})

/** The same databases by psql, as many at once; undefined where there is none. */
export function psqlFleet({ root }: History, { list, concurrency }: FleetList): Contender | undefined {
  if (psql === undefined) return undefined
  const each = `${psql} -qX1 -v ON_ERROR_STOP=1 -f ${join(root, "small.sql")}`
  return {
    name: `psql, by xargs -P ${concurrency}`,
    command: ["sh", "-c", `xargs -P ${concurrency} -n 1 ${each} < ${list}`],
    cwd: root,
  }
}

type Loop = "lockstep" | "dbmate" | "prisma"

/** A tool for one database, in a shell's loop over several. */
export function loopContenders(
  history: History,
  urls: Readonly<Record<Loop, readonly string[]>>,
): readonly Contender[] {
  const loop = (
    name: string,
    command: readonly string[],
    given: { urls: readonly string[]; env?: Record<string, string> },
  ) => ({
    name: `loop of ${name}`,
    command: [
      "sh",
      "-ec",
      `for DATABASE_URL in "$@"; do export DATABASE_URL; ${command.join(" ")}; done`,
      "sh",
      ...given.urls,
    ],
    env: given.env ?? {},
    cwd: history.root,
  })
  const dbmateEnv = { DBMATE_MIGRATIONS_DIR: history.dbmate, DBMATE_NO_DUMP_SCHEMA: "true" }
  const prismaEnv = { PRISMA_SCHEMA_ENGINE_BINARY: engine, CHECKPOINT_DISABLE: "1", PRISMA_HIDE_UPDATE_MESSAGE: "1" }
  const withoutTls = urls.dbmate.map((url) => `${url}?sslmode=disable`)
  return [
    loop("lockstep deploy", [process.execPath, cli, "deploy"], { urls: urls.lockstep }),
    loop("dbmate (native)", [dbmateNative, "migrate"], { urls: withoutTls, env: dbmateEnv }),
    loop("prisma migrate deploy", [process.execPath, prismaCli, "migrate", "deploy"], {
      urls: urls.prisma,
      env: prismaEnv,
    }),
  ]
}
