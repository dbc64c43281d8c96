import {
  bindMigrationAwareSqlAdapterFactory,
  type ErrorCapturingSqlMigrationAwareDriverAdapterFactory,
} from "@prisma/driver-adapter-utils"
import { type Client, connect } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { adapterOver } from "./adapter.js"
import { offlineAdapter } from "./offline.js"
import { replayedShadows } from "./replayed.js"
import { searchPath } from "./script.js"

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
      return adapterOver(client, url.schema, async () => {
        if (clients.delete(client)) await client.end()
      })
    },
    connectToShadowDb: async () => (shadows ? await shadows.connect() : offlineAdapter()),
  })
  const close = async (): Promise<void> => {
    await Promise.allSettled([...[...clients].map((client) => client.end()), shadows?.close()])
    clients.clear()
  }
  return { bound, close }
}
