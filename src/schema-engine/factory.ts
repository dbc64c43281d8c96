import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type ErrorCapturingSqlMigrationAwareDriverAdapterFactory,
  type SqlDriverAdapter,
} from "@prisma/driver-adapter-utils"
import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { searchPath } from "../scratch/script.js"
import { adapterOver } from "./adapter.js"
import { type TakeLock, underLock, waitInServer } from "./lock.js"
import { replayedShadows } from "./replayed-shadow.js"

export interface AdapterFactory {
  /** What the engine calls; its registry keeps the errors that the engine only gives a number for. */
  readonly bound: ErrorCapturingSqlMigrationAwareDriverAdapterFactory
  /** Does work under the migration lock, which the database's first connection takes. */
  readonly locked: <T>(work: () => Promise<T>) => Promise<T>
  /** Closes every connection and drops every shadow database that the engine left open. */
  readonly close: () => Promise<void>
}

/** Where the engine works. */
export interface Databases {
  readonly url: DatabaseUrl | undefined
  readonly shadowUrl?: DatabaseUrl | undefined
  readonly takeLock?: TakeLock | undefined
}

/**
 * Opens the engine's connections: the database itself, and shadow databases that are really separate. Without a URL
 * the database is a stand-in, and a shadow database needs `shadowUrl`.
 */
export function adapterFactory({ url, shadowUrl, takeLock = waitInServer }: Databases): AdapterFactory {
  const clients = new Set<Client>()
  const home = url ?? shadowUrl
  const shadows = home && replayedShadows(home, shadowUrl)
  const bound = bindMigrationAwareSqlAdapterFactory({
    provider: "postgres",
    adapterName: "lockstep",
    connect: async () => {
      if (!url) return offlineAdapter()
      const client = await connect(url, { applicationName: "lockstep schema engine" })
      clients.add(client)
      await client.query(searchPath(url.schema))
      const release = async () => {
        if (clients.delete(client)) await end(client)
      }
      return adapterOver({ client, schema: url.schema, takeLock, release })
    },
    connectToShadowDb: async () => (shadows ? await shadows.connect() : offlineAdapter()),
  })
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    const [main] = clients
    return main === undefined ? await work() : await underLock(main, takeLock, work)
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...[...clients].map(end), shadows?.close()])
    clients.clear()
  }
  return { bound, locked, close }
}

/** A pooler may keep the server's session, and with it the lock that the engine took. */
async function end(client: Client): Promise<void> {
  await client.query("SELECT pg_advisory_unlock_all()").catch(() => undefined)
  await client.end()
}

const { Boolean: Bool, Int32, Text } = ColumnTypeEnum

/**
 * Stands in for a database where none is needed: the engine asks any server for its version when it starts, even to
 * compare two schemas. Whatever else it asks for is refused. Errors: L1205.
 */
function offlineAdapter(): SqlDriverAdapter {
  const refuse = async (): Promise<never> => {
    throw new LockstepError("L1205", "this needs a database, and no database URL is given", {
      next: "set DATABASE_URL, or datasource.url in prisma.config.ts",
    })
  }
  return {
    provider: "postgres",
    adapterName: "lockstep",
    queryRaw: async ({ sql }) => {
      if (!sql.includes("server_version_num")) return await refuse()
      return {
        columnNames: ["exists", "version", "numeric_version"],
        columnTypes: [Bool, Text, Int32],
        rows: [[true, "PostgreSQL 18.0", 180_000]],
      }
    },
    executeRaw: refuse,
    executeScript: refuse,
    startTransaction: refuse,
    getConnectionInfo: () => ({ schemaName: "public", supportsRelationJoins: true }),
    dispose: async () => undefined,
  }
}
