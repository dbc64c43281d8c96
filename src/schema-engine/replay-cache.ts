import type { SqlDriverAdapter } from "@prisma/driver-adapter-utils"
import { openScratchDatabase, type ScratchDatabase, type ScratchServer } from "../scratch/database.js"
import { runScript } from "../scratch/script.js"
import { adapterOver } from "./adapter.js"

/** The scratch databases of one engine; the last one is kept together with what was replayed in it. */
export interface ReplayCache {
  /** An adapter to a database that behaves as a new, empty one. */
  readonly connect: () => Promise<SqlDriverAdapter>
  readonly close: () => Promise<void>
}

/** A scratch database and the scripts that made what is in it. */
interface Replayed {
  database: ScratchDatabase
  readonly scripts: string[]
}

/**
 * The engine replays the same history again and again, each time from an empty database, which takes most of a command's
 * time. So the database of the last replay is kept: a script that was run there before, at the same place, is skipped,
 * and the first one that differs is run. A database that holds more than was asked for is made anew.
 */
export function replayCache(server: ScratchServer): ReplayCache {
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
    replayed.database = await openScratchDatabase(server)
    replayed.scripts.length = count
    for (const script of replayed.scripts) await runScript(replayed.database, script)
  }

  const connect = async (): Promise<SqlDriverAdapter> => {
    const replayed = kept ?? { database: await openScratchDatabase(server), scripts: [] }
    kept = undefined
    open.add(replayed)
    let position = 0
    /** Whether the scripts alone made what is in the database; only then can it be used again. */
    let reproducible = true
    const adapter = () => adapterOver({ ...replayed.database, release: async () => undefined })
    const rewound = async (): Promise<SqlDriverAdapter> => {
      await rewind(replayed, position)
      return adapter()
    }
    return {
      ...adapter(),
      queryRaw: async (query) => {
        if (asksForVersion.test(query.sql)) return await adapter().queryRaw(query)
        reproducible &&= reads.test(query.sql)
        return await (await rewound()).queryRaw(query)
      },
      executeRaw: async (query) => {
        reproducible = false
        return await (await rewound()).executeRaw(query)
      },
      startTransaction: async (level) => {
        reproducible = false
        return await (await rewound()).startTransaction(level)
      },
      executeScript: async (script) => {
        if (replayed.scripts[position] !== script) {
          const before = reproducible
          reproducible = false
          await (await rewound()).executeScript(script)
          reproducible = before
          replayed.scripts.push(script)
        }
        position++
      },
      dispose: async () => {
        open.delete(replayed)
        if (reproducible && kept === undefined) kept = replayed
        else await replayed.database.drop()
      },
    }
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...open, ...(kept ? [kept] : [])].map(drop))
    kept = undefined
  }
  return { connect, close }
}

/** The engine's first query; every database of a server gives the same answer, so it needs no rewind. */
const asksForVersion = /^\s*SELECT\b.*\bserver_version_num\b/is
const reads = /^\s*(?:SELECT|WITH|SHOW)\b/i
