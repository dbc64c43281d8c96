import type { SqlDriverAdapter } from "@prisma/driver-adapter-utils"
import { quoteIdentifier } from "../postgres/sqlstate.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { openShadow, type Shadow } from "../scratch/database.js"
import { runScript, searchPath } from "../scratch/script.js"
import { adapterOver } from "./adapter.js"

/** Shadow databases for one engine; the last one is kept with what was replayed in it. */
export interface ReplayedShadows {
  /** An adapter to a database that behaves as a new, empty one. */
  readonly connect: () => Promise<SqlDriverAdapter>
  readonly close: () => Promise<void>
}

/** A shadow database and the scripts that made what is in it. */
interface State {
  shadow: Shadow
  readonly scripts: string[]
}

/**
 * The engine replays the same history again and again, each time from an empty database, although the answer is the
 * same: most of a command's time. So a script that was run before at the same place is only counted, and the first
 * one that differs goes on from there. A database that holds more than was asked for is made anew.
 */
export function replayedShadows(url: DatabaseUrl, given: DatabaseUrl | undefined): ReplayedShadows {
  const { schema } = url
  let kept: State | undefined
  const open = new Set<State>()

  const fresh = async (): Promise<Shadow> => {
    const shadow = await openShadow(url, given)
    await shadow.client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}; ${searchPath(schema)}`)
    return shadow
  }
  const release = async (state: State): Promise<void> => {
    open.delete(state)
    await state.shadow.drop()
  }
  /** Makes the database hold exactly the first `count` scripts. */
  const rewind = async (state: State, count: number): Promise<void> => {
    if (count === state.scripts.length) return
    await state.shadow.drop()
    state.shadow = await fresh()
    state.scripts.length = count
    for (const script of state.scripts) await runScript(state.shadow.client, schema, script)
  }

  const connect = async (): Promise<SqlDriverAdapter> => {
    const state = kept ?? { shadow: await fresh(), scripts: [] }
    kept = undefined
    open.add(state)
    let at = 0
    let known = true
    const adapter = () => adapterOver({ client: state.shadow.client, schema, release: async () => undefined })
    const exactly = async (): Promise<SqlDriverAdapter> => {
      await rewind(state, at)
      return adapter()
    }
    return {
      ...adapter(),
      queryRaw: async (query) => {
        if (asksForServer.test(query.sql)) return await adapter().queryRaw(query)
        known &&= reads.test(query.sql)
        return await (await exactly()).queryRaw(query)
      },
      executeRaw: async (query) => {
        known = false
        return await (await exactly()).executeRaw(query)
      },
      startTransaction: async (level) => {
        known = false
        return await (await exactly()).startTransaction(level)
      },
      executeScript: async (script) => {
        if (state.scripts[at] !== script) {
          const before = known
          known = false
          await (await exactly()).executeScript(script)
          known = before
          state.scripts.push(script)
        }
        at++
      },
      dispose: async () => {
        open.delete(state)
        if (known && kept === undefined) kept = state
        else await state.shadow.drop()
      },
    }
  }
  const close = async (): Promise<void> => {
    await Promise.allSettled([...open, ...(kept ? [kept] : [])].map(release))
    kept = undefined
  }
  return { connect, close }
}

/** The question after the version, with which the engine begins; every database of a server gives the same answer. */
const asksForServer = /^\s*SELECT\b.*\bserver_version_num\b/is
const reads = /^\s*(?:SELECT|WITH|SHOW)\b/i
