import pg from "pg"
import { type LockMode, lockModes } from "../../src/sql/rules.js"
import { postgresMajor } from "../support/postgres.js"
import { stock } from "./shop.js"

/** What a statement did to one relation that was there before. */
export interface Measured {
  readonly name: string
  /** For an index, its table. */
  readonly tableOfIndex: string | null
  /** The strongest mode seen. */
  readonly lock: LockMode | undefined
  readonly rewrites: boolean
  /** Of an index: whether its table was scanned. */
  readonly scans: boolean
}

interface Relation {
  readonly oid: number
  readonly name: string
  readonly tableOfIndex: string | null
  readonly file: number | null
  readonly bytes: number
  readonly scanned: number
}

/** Runs a statement in a transaction that is rolled back, and looks at the locks that it still holds. */
export async function measureInside(client: pg.Client, sql: string): Promise<readonly Measured[]> {
  await client.query("BEGIN")
  try {
    const before = await relations(client, "pg_stat_get_xact_numscans")
    await client.query(sql)
    const held = await client.query<{ oid: number; modes: string[] }>(`
      SELECT relation::int AS oid, array_agg(mode) AS modes FROM pg_locks
      WHERE pid = pg_backend_pid() AND relation IS NOT NULL AND granted GROUP BY relation`)
    const after = await relations(client, "pg_stat_get_xact_numscans")
    return compare(before, after, new Map(held.rows.map(({ oid, modes }) => [oid, modes.map(modeOf)])))
  } finally {
    await client.query("ROLLBACK")
  }
}

/**
 * Runs a statement that refuses transactions, and looks at what it waits for while its table is locked
 * in one mode after another: under ACCESS SHARE only an ACCESS EXCLUSIVE lock has to wait, and so on down.
 */
export async function measureAlone(url: string, sql: string, table: string): Promise<readonly Measured[]> {
  const [runner, holder, watcher] = [new pg.Client(url), new pg.Client(url), new pg.Client(url)]
  await Promise.all([runner.connect(), holder.connect(), watcher.connect()])
  try {
    const { rows } = await runner.query<{ pid: number }>("SELECT pg_backend_pid() AS pid")
    const pid = rows[0]?.pid ?? 0
    const awaited: LockMode[] = []
    let measured: readonly Measured[] = []
    for (const mode of ["ACCESS SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE"]) {
      await stock(watcher)
      const before = await relations(watcher, "pg_stat_get_numscans")
      await holder.query(`BEGIN; LOCK TABLE "${table}" IN ${mode} MODE`)
      const running = runner.query(sql)
      awaited.push(...(await awaitedModes(watcher, pid, running)))
      await holder.query("ROLLBACK")
      await running
      if (postgresMajor >= 15) await runner.query("SELECT pg_stat_force_next_flush()")
      const locked = [...before.values()].filter(({ name, tableOfIndex }) => (tableOfIndex ?? name) === table)
      const after = await relations(watcher, "pg_stat_get_numscans")
      measured = compare(before, after, new Map(locked.map(({ oid }) => [oid, awaited])))
    }
    return measured
  } finally {
    await stock(watcher)
    await Promise.all([runner.end(), holder.end(), watcher.end()])
  }
}

/** The relation locks that another connection waits for, as soon as it waits for anything or is done. */
async function awaitedModes(watcher: pg.Client, pid: number, running: Promise<unknown>): Promise<LockMode[]> {
  let isDone = false
  const end = () => {
    isDone = true
  }
  running.then(end, end)
  while (!isDone) {
    const { rows } = await watcher.query<{ locktype: string; mode: string }>(
      "SELECT locktype, mode FROM pg_locks WHERE pid = $1 AND NOT granted",
      [pid],
    )
    if (rows.length > 0) return rows.filter(({ locktype }) => locktype === "relation").map(({ mode }) => modeOf(mode))
  }
  return []
}

/** `counter` is where scans are read: this transaction's, or those of all that ended. */
async function relations(client: pg.Client, counter: "pg_stat_get_xact_numscans" | "pg_stat_get_numscans") {
  const { rows } = await client.query<Relation>(`
    SELECT c.oid::int, c.relname AS name, t.relname AS "tableOfIndex",
           pg_relation_filenode(c.oid)::int AS file, coalesce(pg_relation_size(c.oid), 0)::int AS bytes,
           ${counter}(coalesce(i.indrelid, c.oid))::int AS scanned
    FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid
    WHERE c.relnamespace IN ('public'::regnamespace, 'attic'::regnamespace)`)
  return new Map(rows.map((row) => [row.oid, row]))
}

type Relations = ReadonlyMap<number, Relation>

function compare(before: Relations, after: Relations, locks: ReadonlyMap<number, readonly LockMode[]>): Measured[] {
  return [...before.values()].map(({ oid, name, tableOfIndex, file, scanned }) => {
    const now = after.get(oid)
    const modes = locks.get(oid) ?? []
    const lock = lockModes.findLast((mode) => modes.includes(mode))
    // An emptied table gets a new file as well, and indexes on it, but there is nothing to write or to scan.
    const isEmptied = now?.bytes === 0
    const rewrites = now !== undefined && now.file !== file && !isEmptied
    const scans = now !== undefined && now.scanned > scanned && (now.file === file || !isEmptied)
    return { name, tableOfIndex, lock, rewrites, scans }
  })
}

/** "ShareUpdateExclusiveLock", as pg_locks has it, is SHARE UPDATE EXCLUSIVE. */
function modeOf(mode: string): LockMode {
  const words = mode
    .replace(/Lock$/, "")
    .replace(/(?<=[a-z])(?=[A-Z])/g, " ")
    .toUpperCase()
  const known = lockModes.find((each) => each === words)
  if (known === undefined) throw new Error(`no lock mode ${mode}`)
  return known
}
