import { randomBytes } from "node:crypto"
import pg from "pg"
import { inject, onTestFinished, TestRunner } from "vitest"

/** A database of its own on the run's server. */
export interface TestDatabase {
  readonly name: string
  readonly url: string
  /** Runs SQL on a connection of its own; values as node-postgres gives them. */
  query(sql: string, params?: readonly unknown[]): Promise<Record<string, unknown>[]>
  /** Ends its connections and removes it; called again it does nothing. */
  drop(): Promise<void>
}

/** The URL of the run's server, as a role that may do everything. */
export function serverUrl(): string {
  return inject("serverUrl")
}

/** Of the run's server; `make test-matrix` sets it. */
export const postgresMajor = Number(process.env.LOCKSTEP_TEST_POSTGRES ?? 18)

/** Those of a list whose statements the run's server has, by patterns of what only later versions have. */
export function knownTo<T>(newer: readonly (readonly [RegExp, number])[], all: readonly T[]): readonly T[] {
  const isKnown = (sql: string) => newer.every(([pattern, since]) => postgresMajor >= since || !pattern.test(sql))
  return all.filter((one) => isKnown(JSON.stringify(one)))
}

/**
 * A new, empty database. Inside of a test it is dropped when the test ends; made in `beforeAll`, the caller drops it.
 */
export async function createDatabase(): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString("hex")}`
  await onServer(`CREATE DATABASE ${name}${postgresMajor < 15 ? "" : " STRATEGY FILE_COPY"}`)
  const address = new URL(serverUrl())
  address.pathname = `/${name}`
  const database: TestDatabase = {
    name,
    url: address.href,
    query: (sql, params) => queryOn(address.href, sql, params),
    drop: async () => {
      await onServer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    },
  }
  if (TestRunner.getCurrentTest() !== undefined) onTestFinished(database.drop)
  return database
}

let server: Promise<pg.Client> | undefined

/** On one connection for all tests of this process: to open one takes as long as to make a database. */
async function onServer(sql: string): Promise<void> {
  server ??= connectTo(serverUrl())
  const client = await server
  // At the end of the run the server ends before this process.
  if (client.listenerCount("error") === 0) client.on("error", () => {})
  await client.query(sql)
}

async function connectTo(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: "lockstep tests" })
  await client.connect()
  return client
}

async function queryOn(url: string, sql: string, params: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
  const client = await connectTo(url)
  try {
    // Several statements in one text are only possible without parameters, and give one result each.
    const results: pg.QueryResult | pg.QueryResult[] = await client.query(
      sql,
      params.length > 0 ? [...params] : undefined,
    )
    const last = Array.isArray(results) ? results.at(-1) : results
    return last?.rows ?? []
  } finally {
    await client.end()
  }
}
