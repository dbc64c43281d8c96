import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type ErrorCapturingSqlMigrationAwareDriverAdapterFactory,
  type SqlDriverAdapter,
  type SqlResultSet,
} from "@prisma/driver-adapter-utils"
import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"
import {
  openScratchDatabase,
  type ReplayedHistory,
  type ScratchDatabase,
  type ScratchServer,
} from "../scratch/database.js"
import { runOnScratch } from "../scratch/lacking.js"
import { searchPath } from "../scratch/script.js"
import { adapterOver, type TakeLock, underLock, waitForLock } from "./adapter.js"
import { readAhead } from "./read-ahead.js"

/** Where the engine works. */
export interface Databases {
  /** Absent where only schemas are compared, which needs no database. */
  readonly url: DatabaseUrl | undefined
  /** Prisma's shadow database, to replay the history in; without it one is created and dropped on the same server. */
  readonly shadowUrl?: DatabaseUrl | undefined
  /** A history that is replayed on that server already. */
  readonly history?: ReplayedHistory | undefined
  /** The scratch databases of several engines that replay the same history, one after another; the caller closes them. */
  readonly replays?: ReplayCache | undefined
  /** Takes the migration lock wherever it is needed; without it the engine waits for it inside of PostgreSQL. */
  readonly takeLock?: TakeLock | undefined
}

interface AdapterFactory {
  /** What the engine calls; its registry keeps the errors for which the engine only gives a number. */
  readonly bound: ErrorCapturingSqlMigrationAwareDriverAdapterFactory
  /** Does work under the migration lock, which is taken on the database's first connection. */
  readonly locked: <T>(work: () => Promise<T>) => Promise<T>
  /** Does work that reads the shadow database and then the database, and changes neither. */
  readonly readingBoth: <T>(work: () => Promise<T>) => Promise<T>
  /** Closes every connection and drops every scratch database that the engine left open. */
  readonly close: () => Promise<void>
}

/** Opens the engine's connections: to the database itself, and to scratch databases where it wants a shadow database. */
export function adapterFactory(databases: Databases): AdapterFactory {
  const { url, shadowUrl, history, takeLock = waitForLock } = databases
  const clients = new Set<Client>()
  const server = url ? { url, shadowUrl, history } : shadowUrl && { shadowUrl }
  const own = databases.replays === undefined && server ? replayCache(server) : undefined
  const replays = databases.replays ?? own
  const ahead = readAhead()
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
      return ahead.main(adapterOver({ client, schema: url.schema, takeLock, release }))
    },
    connectToShadowDb: async () => ahead.shadow(replays ? await replays.connect() : offlineAdapter()),
  })
  const locked = async <T>(work: () => Promise<T>): Promise<T> => {
    const [first] = clients
    return first === undefined ? await work() : await underLock(first, takeLock, work)
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...[...clients].map(end), own?.close()])
    clients.clear()
  }
  return { bound, locked, readingBoth: ahead.during, close }
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

/** The scratch databases of one engine; the last one is kept together with what was replayed in it. */
export interface ReplayCache {
  /** An adapter to a database that behaves as a new, empty one. */
  readonly connect: () => Promise<SqlDriverAdapter>
  readonly close: () => Promise<void>
}

/** A scratch database and the scripts that made what is in it. */
interface Replayed {
  database: ScratchDatabase
  /** Whether it is the kept history itself: it is only read, and held no longer, as others copy it. `migrate` needs no copy. */
  isTemplate: boolean
  readonly scripts: string[]
  /** What was read after them: the engine reads the whole schema twice to make a migration, a tenth of the command's time. */
  readonly answers: Map<string, Promise<SqlResultSet>>
}

/**
 * The engine replays the same history again and again, each time from an empty database, which takes most of a command's
 * time. So the database of the last replay is kept: a script that was run there before, at the same place, is skipped,
 * and the first one that differs is run. A database that holds more than was asked for is made anew.
 */
export function replayCache(server: ScratchServer): ReplayCache {
  const history = server.url === undefined ? undefined : server.history
  let kept: Replayed | undefined
  const open = new Set<Replayed>()

  const drop = async (replayed: Replayed): Promise<void> => {
    open.delete(replayed)
    await replayed.database.drop()
  }
  /** Makes the database hold exactly the first `count` scripts. */
  const rewind = async (replayed: Replayed, count: number): Promise<void> => {
    if (count === replayed.scripts.length) return
    await replayed.database.drop()
    const begun = await begin(replayed.scripts.slice(0, count))
    Object.assign(replayed, { database: begun.database, isTemplate: begun.isTemplate })
    for (const script of replayed.scripts.slice(begun.scripts.length, count)) await run(replayed, script)
    replayed.scripts.length = count
    replayed.answers.clear()
  }
  /** A database with as many of the scripts as are replayed already; all that are, where the scripts are not known yet. */
  const begin = async (scripts?: readonly string[]): Promise<Replayed> => {
    const isPrefix = history?.scripts.every((script, at) => scripts === undefined || script === scripts[at])
    if (history === undefined || !isPrefix) return { ...nothingKnown(), database: await openScratchDatabase(server) }
    return { ...nothingKnown(), ...(await toRead(history)), scripts: [...history.scripts] }
  }
  const toRead = async ({ read, open }: ReplayedHistory): Promise<Pick<Replayed, "database" | "isTemplate">> => {
    // Another command may have dropped it meanwhile.
    const template = await read?.().catch(() => undefined)
    return { database: template ?? (await open()), isTemplate: template !== undefined }
  }
  /** Before anything is changed in it. */
  const own = async (replayed: Replayed): Promise<void> => {
    if (!replayed.isTemplate || history === undefined) return
    await replayed.database.drop()
    Object.assign(replayed, { database: await history.open(), isTemplate: false })
  }
  const run = async (replayed: Replayed, script: string): Promise<void> => {
    await own(replayed)
    await runOnScratch(replayed.database, script)
  }

  const connect = async (): Promise<SqlDriverAdapter> => {
    const replayed = kept ?? (await begin())
    if (replayed === kept && replayed.isTemplate && history !== undefined)
      Object.assign(replayed, await toRead(history))
    kept = undefined
    open.add(replayed)
    let position = 0
    /** Whether the scripts alone made what is in the database; only then can it be used again. */
    let reproducible = true
    const adapter = () => adapterOver({ ...replayed.database, release: async () => undefined })
    const rewound = async (use: "read" | "change"): Promise<SqlDriverAdapter> => {
      await rewind(replayed, position)
      if (use === "change") await own(replayed)
      return adapter()
    }
    return {
      ...adapter(),
      queryRaw: async (query) => {
        if (asksForVersion.test(query.sql)) return await adapter().queryRaw(query)
        reproducible &&= reads.test(query.sql)
        const current = await rewound(reproducible ? "read" : "change")
        const key = JSON.stringify([query.sql, query.args])
        const answer = (reproducible ? replayed.answers.get(key) : undefined) ?? current.queryRaw(query)
        if (reproducible) replayed.answers.set(key, answer)
        return await answer
      },
      executeRaw: async (query) => {
        reproducible = false
        return await (await rewound("change")).executeRaw(query)
      },
      startTransaction: async (level) => {
        reproducible = false
        return await (await rewound("change")).startTransaction(level)
      },
      executeScript: async (script) => {
        if (replayed.scripts[position] !== script) {
          const before = reproducible
          reproducible = false
          await rewind(replayed, position)
          await run(replayed, script)
          reproducible = before
          replayed.scripts.push(script)
          replayed.answers.clear()
        }
        position++
      },
      dispose: async () => {
        open.delete(replayed)
        const isKept = reproducible && kept === undefined
        if (isKept) kept = replayed
        if (!isKept || replayed.isTemplate) await replayed.database.drop()
      },
    }
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...open, ...(kept ? [kept] : [])].map(drop))
    kept = undefined
  }
  return { connect, close }
}

const nothingKnown = (): Omit<Replayed, "database"> => ({ isTemplate: false, scripts: [], answers: new Map() })

/** The engine's first query; every database of a server gives the same answer, so it needs no rewind. */
const asksForVersion = /^\s*SELECT\b.*\bserver_version_num\b/is
const reads = /^\s*(?:SELECT|WITH|SHOW)\b/i
