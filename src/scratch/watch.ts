import { setTimeout as pause } from "node:timers/promises"
import type { Client } from "../postgres/connect.js"
import { runUnread } from "../postgres/counted.js"
import { effects } from "../sql/effects.js"
import type { Statement } from "../sql/parse.js"
import { quoted, type RelationName } from "../sql/tree.js"
import type { Between } from "./observation.js"
import { type Relation, type Snapshot, takeSnapshot } from "./snapshot.js"

/** A session that runs a statement, one that watches it, the first one's process id, and a way to open more. */
export interface Watched {
  readonly client: Client
  readonly watcher: Client
  readonly schema: string
  readonly pid: number
  readonly open: () => Promise<Client>
}

/**
 * Runs a statement that PostgreSQL allows in no transaction and reads from a second session which locks it takes.
 * So that no lock is missed however short it is, each table that the statement names has a gate, a session that holds two
 * locks on it: EXCLUSIVE, behind which the statement's first lock has to wait, and ACCESS SHARE, behind which an ACCESS
 * EXCLUSIVE one has to. Each is given up as soon as the statement is seen waiting for it.
 */
export async function watchStatement(session: Watched, statement: Statement): Promise<Omit<Between, "messages">> {
  const { client, watcher, pid } = session
  const before = await takeSnapshot(watcher, { pid, statistics: "ended" })
  const seen = new Map<number, string[]>()
  const note = (oid: number, mode: string) => seen.set(oid, [...(seen.get(oid) ?? []), mode])
  const gates = await Promise.all(tablesOf(statement, session, before).map((table) => closeGate(session, table)))
  const begun = performance.now()
  let isDone = false
  const running = runUnread(client, statement.text).finally(() => {
    isDone = true
  })
  running.catch(() => undefined)
  while (!isDone) {
    const waits = await locksOf(watcher, pid)
    for (const { oid, mode } of waits) if (oid !== 0 && before.relations.has(oid)) note(oid, mode)
    const waiting = waits.find(({ granted }) => granted === "f")
    if (waiting === undefined) await pause(1)
    // It waits for a transaction to end, that of a gate.
    else if (waiting.oid === 0) await endBlocking(watcher, pid, gates)
    else await gates.find(({ oid }) => oid === waiting.oid)?.open()
  }
  await Promise.all(gates.map(({ end }) => end()))
  await running
  const durationMs = performance.now() - begun
  await flushStatistics(client)
  const after = await takeSnapshot(watcher, { pid, statistics: "ended" })
  return { before, after, seen, durationMs }
}

/**
 * Before PostgreSQL 15 a session reports what it did when it becomes idle, at most twice a second, and what others read
 * of it is up to half a second old.
 */
async function flushStatistics(client: Client): Promise<void> {
  await client.query("SELECT pg_catalog.pg_stat_force_next_flush()").catch(async () => {
    await pause(oldStatisticsMs)
    await client.query("SELECT 1")
    await pause(oldStatisticsMs)
  })
}

const oldStatisticsMs = 600

async function endBlocking(watcher: Client, pid: number, gates: readonly Gate[]): Promise<void> {
  const { rows } = await watcher.query<{ blocking: string }>(
    "SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids($1)) AS blocking",
    [pid],
  )
  const blocking = rows.map(({ blocking }) => Number(blocking))
  await Promise.all(gates.filter((gate) => blocking.includes(gate.pid)).map(({ end }) => end()))
}

interface Lock {
  /** 0: what is waited for is no relation. */
  readonly oid: number
  readonly mode: string
  readonly granted: string
}

async function locksOf(watcher: Client, pid: number): Promise<readonly Lock[]> {
  const { rows } = await watcher.query<{ oid: string | null; mode: string; granted: string }>(
    "SELECT relation::bigint AS oid, mode, granted FROM pg_catalog.pg_locks WHERE pid = $1 AND (locktype = 'relation' OR NOT granted)",
    [pid],
  )
  return rows.map(({ oid, mode, granted }) => ({ oid: Number(oid ?? 0), mode, granted }))
}

/** A session whose locks on one table a statement has to wait for. */
interface Gate {
  readonly oid: number
  readonly pid: number
  /** Gives up EXCLUSIVE the first time, ACCESS SHARE the second. */
  readonly open: () => Promise<void>
  /** May be called twice. */
  readonly end: () => Promise<void>
}

async function closeGate({ open }: Watched, { oid, schema, name }: Relation): Promise<Gate> {
  const holder = await open()
  const { rows } = await holder.query<{ pid: string }>("SELECT pg_catalog.pg_backend_pid() AS pid")
  const table = quoted({ schema, name })
  await holder.query(
    `BEGIN; LOCK TABLE ONLY ${table} IN ACCESS SHARE MODE; SAVEPOINT gate; LOCK TABLE ONLY ${table} IN EXCLUSIVE MODE`,
  )
  let ended: Promise<void> | undefined
  let isHalfOpen = false
  const end = () => {
    ended ??= holder.end()
    return ended
  }
  return {
    oid,
    pid: Number(rows[0]?.pid),
    open: async () => {
      if (isHalfOpen) return await end()
      isHalfOpen = true
      await holder.query("ROLLBACK TO gate")
    },
    end,
  }
}

/** A gate is a connection; the statements that need one name few tables. */
const mostGates = 8

/** The tables that a statement names, also by an index, and their partitions. */
function tablesOf({ node }: Statement, { schema }: Watched, { relations, objects }: Snapshot): readonly Relation[] {
  const all = [...relations.values()]
  const find = (name: RelationName) =>
    all.find((each) => each.name === name.name && each.schema === (name.schema ?? schema))
  const named = effects(node).flatMap(({ table, index }) => {
    const relation = (table && find(table)) ?? (index && find(index))
    const owner = relation && (relations.get(relation.indexOf) ?? relation)
    return owner === undefined ? [] : [owner.oid]
  })
  const oids = new Set(named)
  const parents = [...objects.values()].filter(({ kind }) => kind === "parent")
  for (const oid of oids) for (const { name, table } of parents) if (Number(name) === oid) oids.add(table)
  return [...oids]
    .flatMap((oid) => relations.get(oid) ?? [])
    .filter(({ kind }) => kind === "r" || kind === "p")
    .slice(0, mostGates)
}
