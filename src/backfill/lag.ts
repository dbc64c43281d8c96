import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"

/** A replica, and how far it is behind in milliseconds. */
interface Behind {
  readonly replica: string
  readonly lagMs: number
}

interface Row {
  readonly replica: string
  readonly lag: string
  readonly hidden: string
  /** Positions in the write-ahead log, in bytes. */
  readonly replayed: string
  readonly written: string
}

const query = `SELECT coalesce(nullif(application_name, ''), host(client_addr), 'a replica') AS replica,
    coalesce(extract(epoch FROM replay_lag) * 1000, 0) AS lag, state IS NULL AS hidden,
    coalesce(pg_wal_lsn_diff(replay_lsn, '0/0'), 0) AS replayed, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS written
  FROM pg_stat_replication WHERE state IS NULL OR (state IN ('streaming', 'catchup') AND replay_lsn IS NOT NULL)`

/** Measures how far the replicas of a server are behind. */
export class ReplicaLag {
  /** When the log was how long. */
  readonly #written: { readonly at: number; readonly position: number }[] = []

  /**
   * The replica that is furthest behind; undefined where there is none. A replica reports no lag while it replays nothing,
   * so it is measured as well by when the log was as long as what it has replayed.
   * Errors: L2109 the role may not see it.
   */
  async furthest(client: Client, user: string): Promise<Behind | undefined> {
    const { rows } = await client.query<Row>(query)
    if (rows.some(({ hidden }) => hidden === "t")) throw notVisible(user)
    const now = performance.now()
    const behind = rows.map(({ replica, lag, replayed }) => {
      const first = this.#written.find(({ position }) => position > Number(replayed))
      return { replica, lagMs: Math.round(Math.max(Number(lag), first === undefined ? 0 : now - first.at)) }
    })
    const all = Math.min(...rows.map(({ replayed }) => Number(replayed)))
    this.#written.splice(0, Infinity, ...this.#written.filter(({ position }) => position > all))
    const [row] = rows
    if (row !== undefined) this.#written.push({ at: now, position: Number(row.written) })
    return behind.sort((one, other) => other.lagMs - one.lagMs)[0]
  }
}

const notVisible = (user: string): LockstepError =>
  new LockstepError("L2109", `the role "${user}" may not see how far the replicas are behind`, {
    hint: "Without the privileges of pg_monitor, pg_stat_replication shows no more than that there are replicas.",
    state: "nothing more was touched.",
    next: `GRANT pg_monitor TO ${quoteIdentifier(user)}; or run it without --max-lag`,
  })
