import {
  bindMigrationAwareSqlAdapterFactory,
  type ErrorCapturingSqlMigrationAwareDriverAdapterFactory,
  type SqlDriverAdapter,
} from "@prisma/driver-adapter-utils"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { adapterOver } from "./adapter.js"
import { offlineAdapter } from "./offline.js"
import { searchPath } from "./script.js"
import { openShadow } from "./shadow.js"

export interface AdapterFactory {
  /** What the engine calls; its registry keeps the errors that the engine only gives a number for. */
  readonly bound: ErrorCapturingSqlMigrationAwareDriverAdapterFactory
  /** Closes every connection and drops every shadow database that the engine left open. */
  readonly close: () => Promise<void>
}

/**
 * Opens the engine's connections: the database itself, and shadow databases that are really separate. Without a URL
 * the database is a stand-in, and a shadow database needs `shadowUrl`.
 */
export function adapterFactory(url: DatabaseUrl | undefined, shadowUrl: DatabaseUrl | undefined): AdapterFactory {
  const open = new Set<() => Promise<void>>()
  const adapter = async (client: Client, schema: string, release: () => Promise<void>): Promise<SqlDriverAdapter> => {
    open.add(release)
    await client.query(searchPath(schema))
    return adapterOver(client, schema, () => release().finally(() => open.delete(release)))
  }
  const bound = bindMigrationAwareSqlAdapterFactory({
    provider: "postgres",
    adapterName: "lockstep",
    connect: async () => {
      if (!url) return offlineAdapter()
      const client = await connect(url, { applicationName: "lockstep schema engine" })
      return await adapter(
        client,
        url.schema,
        once(() => client.end()),
      )
    },
    connectToShadowDb: async () => {
      const home = url ?? shadowUrl
      if (!home) return offlineAdapter()
      const { client, drop } = await openShadow(home, shadowUrl)
      await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(home.schema)}`)
      return await adapter(client, home.schema, drop)
    },
  })
  return { bound, close: async () => void (await Promise.allSettled([...open].map((release) => release()))) }
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
