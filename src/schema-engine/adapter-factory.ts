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
import { type TakeLock, underLock, waitForLock } from "./lock.js"
import { replayCache } from "./replay-cache.js"

/** Where the engine works. */
export interface Databases {
  /** Absent where only schemas are compared, which needs no database. */
  readonly url: DatabaseUrl | undefined
  /** Prisma's shadow database, to replay the history in; without it one is created and dropped on the same server. */
  readonly shadowUrl?: DatabaseUrl | undefined
  /** Takes the migration lock wherever it is needed; without it the engine waits for it inside of PostgreSQL. */
  readonly takeLock?: TakeLock | undefined
}

interface AdapterFactory {
  /** What the engine calls; its registry keeps the errors for which the engine only gives a number. */
  readonly bound: ErrorCapturingSqlMigrationAwareDriverAdapterFactory
  /** Does work under the migration lock, which is taken on the database's first connection. */
  readonly locked: <T>(work: () => Promise<T>) => Promise<T>
  /** Closes every connection and drops every scratch database that the engine left open. */
  readonly close: () => Promise<void>
}

/** Opens the engine's connections: to the database itself, and to scratch databases where it wants a shadow database. */
export function adapterFactory({ url, shadowUrl, takeLock = waitForLock }: Databases): AdapterFactory {
  const clients = new Set<Client>()
  const server = url ? { url, shadowUrl } : shadowUrl && { shadowUrl }
  const replays = server && replayCache(server)
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
    connectToShadowDb: async () => (replays ? await replays.connect() : offlineAdapter()),
  })
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    const [first] = clients
    return first === undefined ? await work() : await underLock(first, takeLock, work)
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...[...clients].map(end), replays?.close()])
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
 * Replaces a database where none is needed: the engine asks any server for its version when it starts, even to
 * compare two schemas. Everything else is refused. Errors: L1205.
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
