import {
  bindMigrationAwareSqlAdapterFactory,
  type ErrorCapturingSqlMigrationAwareDriverAdapterFactory,
  type SqlDriverAdapter,
} from "@prisma/driver-adapter-utils"
import { type Client, connect } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { adapterOver } from "./adapter.js"
import { searchPath } from "./script.js"
import { openShadow } from "./shadow.js"

export interface AdapterFactory {
  /** What the engine calls; its registry keeps the errors that the engine only gives a number for. */
  readonly bound: ErrorCapturingSqlMigrationAwareDriverAdapterFactory
  /** Closes every connection and drops every shadow database that the engine left open. */
  readonly close: () => Promise<void>
}

/** Opens the engine's connections: the database itself, and shadow databases that are really separate. */
export function adapterFactory(url: DatabaseUrl, shadowUrl: DatabaseUrl | undefined): AdapterFactory {
  const open = new Set<() => Promise<void>>()
  const adapter = async (client: Client, release: () => Promise<void>): Promise<SqlDriverAdapter> => {
    open.add(release)
    await client.query(searchPath(url.schema))
    return adapterOver(client, url.schema, () => release().finally(() => open.delete(release)))
  }
  const bound = bindMigrationAwareSqlAdapterFactory({
    provider: "postgres",
    adapterName: "lockstep",
    connect: async () => {
      const client = await connect(url, { applicationName: "lockstep schema engine" })
      return adapter(
        client,
        once(() => client.end()),
      )
    },
    connectToShadowDb: async () => {
      const { client, drop } = await openShadow(url, shadowUrl)
      if (url.schema !== "public") await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(url.schema)}`)
      return adapter(client, drop)
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
