import { setTimeout as wait } from "node:timers/promises"
import { lockstep as startProcess } from "./cli.js"
import { type Ended, lockstep } from "./in-process.js"
import { createDatabase, serverUrl, type TestDatabase } from "./postgres.js"
import { createProject, type ProjectFiles, type TestProject } from "./project.js"

export const [init, orders] = ["20260101000000_init", "20260102000000_orders"] as const

export const migrations = {
  [init]: `CREATE TABLE "User" ("id" INTEGER NOT NULL, "name" TEXT, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));\n`,
  [orders]: `CREATE TABLE "Order" ("id" INTEGER NOT NULL, CONSTRAINT "Order_pkey" PRIMARY KEY ("id"));\n`,
}

const head = 'datasource db {\n  provider = "postgresql"\n}\n\n'
const order = "model Order {\n  id Int @id\n}\n"

/** The schema that those migrations make. */
export const schema = `${head}model User {\n  id   Int     @id\n  name String?\n}\n\n${order}`

/** The same without the column "name". */
export const narrowSchema = `${head}model User {\n  id Int @id\n}\n\n${order}`

/** The same with another column. */
export const widerSchema = schema.replace("name String?", "name String?\n  age  Int?")

/** A project, a database, and the command on both. */
export interface Shop {
  readonly project: TestProject
  readonly database: TestDatabase
  run(...args: readonly string[]): Promise<Ended>
  /** The same as a process of its own. */
  start(...args: readonly string[]): ReturnType<typeof startProcess>
}

export async function openShop(files: ProjectFiles = {}): Promise<Shop> {
  const database = await createDatabase()
  const project = createProject({ migrations, schema, ...files })
  // A plan's scratch databases are made on the run's server, so that none is started for it.
  const env = { LOCKSTEP_SHADOW_URL: serverUrl() }
  const options = { cwd: project.root, url: database.url, env }
  return {
    project,
    database,
    run: (...args) => lockstep(args, options),
    start: (...args) => startProcess(args, options),
  }
}

const forgotten = `SELECT datname AS name FROM pg_database d WHERE datname LIKE 'lockstep\\_scratch\\_%'
  AND NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.application_name = d.datname)`

/** How many scratch databases are left on the server by processes that have ended; other tests' are in use meanwhile. */
export async function scratchDatabasesLeftOn(database: TestDatabase): Promise<number> {
  const names = async () => (await database.query(forgotten)).map(({ name }) => name)
  // Another test's is for a moment without a session, before its first one and while it is dropped; what is left stays.
  let left = await names()
  for (let reading = 0; left.length > 0 && reading < 30; reading++) {
    await wait(100)
    const again = new Set(await names())
    left = left.filter((name) => again.has(name))
  }
  return left.length
}
