import pg from "pg"
import { LockLost, lostOr, refusalOf } from "../deploy/failure.js"
import { cancelledOnSignal, pause, throwIfInterrupted } from "../deploy/interrupt.js"
import { lockHolder } from "../history/lock.js"
import type { Client } from "../postgres/connect.js"
import type { BackfillContext } from "./context.js"
import { doneSoFar } from "./failure.js"
import type { Backfill } from "./file.js"
import { type Key, type KeyValues, keyAt, type Range, rangeCondition, rowsIn } from "./key.js"
import { type BatchPlace, claimBatch, isLostPlace, type Recorded, recordBatch } from "./progress.js"
import { retrying, StatementRefused } from "./retry.js"
import { inRange } from "./statement.js"

/** A backfill under way, over a connection that has its lock. */
export interface Walk {
  readonly backfill: Backfill
  readonly key: Key
  readonly recorded: Recorded & { readonly upperKey: KeyValues }
}

/** With how many rows the first batch begins: what a row costs is not known yet. */
const firstRows = 1000

/** How many rows the next batch has: so many that it takes about the time that is aimed at. Times are milliseconds. */
export function nextSize(size: number, tookMs: number, { aimMs, most }: { aimMs: number; most: number }): number {
  const factor = Math.min(2, Math.max(0.25, aimMs / Math.max(tookMs, 1)))
  return Math.max(1, Math.min(most, Math.round(size * factor)))
}

const reportEveryMs = 1000
const lookAtReplicaEveryMs = 500

/**
 * Walks the rows that are left, a batch after another, each with its progress in one transaction. Resolves when the last
 * is committed. Errors: L1001 interrupted, L1014, L2107, L2109; ConnectionLost.
 */
export async function walkRows(context: BackfillContext, { backfill, key, recorded }: Walk): Promise<void> {
  const { request, state } = context
  const { settings, signal, onEvent } = request
  const { name } = backfill
  const most = Math.max(1, Math.min(settings.batch, backfill.batch ?? settings.batch))
  const { upperKey, estimated } = recorded
  let { lastKey: after, rows, walked, batches } = recorded
  let size = Math.min(firstRows, most)
  const started = performance.now()
  const before = walked
  let reported = started
  for (;;) {
    const done = doneSoFar({ rows, batches })
    throwIfInterrupted(signal, done)
    await waitForReplicas(context, name, done)
    const from = performance.now()
    const batch = await retrying(
      context,
      { backfill, key, progress: { rows, walked, batches } },
      {
        work: () => runBatch(context, { backfill, key, range: { after, upTo: upperKey }, size }),
        onRefused: () => {
          size = Math.max(1, Math.floor(size / 2))
        },
      },
    )
    state.batches++
    after = batch.upTo
    rows += batch.rows
    walked += batch.walked
    batches++
    const now = performance.now()
    if (batch.isLast) {
      onEvent({ event: "finished", name, rows, walked, batches, durationMs: Math.round(now - started) })
      return
    }
    const batchRows = size
    size = nextSize(size, now - from, { aimMs: settings.batchTime, most })
    if (now - reported >= reportEveryMs) {
      reported = now
      const perMs = (walked - before) / (now - started)
      const left = Math.max(0, estimated - walked) / perMs
      onEvent({
        ...{ event: "progress", name, rows, walked, estimated, batches, batchRows },
        rowsPerSecond: Math.round(perMs * 1000),
        ...(Number.isFinite(left) ? { leftMs: Math.round(left) } : {}),
      })
    }
    if (settings.pause > 0) await pause(settings.pause, signal, doneSoFar({ rows, batches }))
  }
}

interface Batch {
  readonly backfill: Backfill
  readonly key: Key
  /** What is left. */
  readonly range: Range
  /** How many rows of it. */
  readonly size: number
}

interface BatchResult {
  readonly upTo: KeyValues
  readonly rows: number
  readonly walked: number
  readonly isLast: boolean
}

/** The lines before the statement: what pg_stat_activity shows, and what holds the batch to its place. */
export const opening = (place: BatchPlace): string =>
  `-- backfill ${place.name.replaceAll(/[^ -~]/g, "?")}\nBEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;${claimBatch(place)};`

/**
 * One batch: the rows of the next range, and how far it is, in one transaction. A process that is killed between the two
 * messages leaves neither.
 */
async function runBatch(context: BackfillContext, { backfill, key, range, size }: Batch): Promise<BatchResult> {
  const { client, request, state } = context
  const { statement, name } = backfill
  const found = await cancelledOnSignal(context, () => keyAt(client, key, { ...range, count: size }))
  const isLast = found === undefined || found.every((value, at) => value === range.upTo[at])
  const upTo = found ?? range.upTo
  const walked = found === undefined ? await cancelledOnSignal(context, () => rowsIn(client, key, range)) : size
  const place = { schema: request.url.schema, name, pid: lockHolder(client), after: range.after }
  const condition = rangeCondition(key, { after: range.after, upTo }, statement.reference)
  // A batch that has begun is let end, and canceled where it takes longer than a signal leaves time for.
  const late = { client, request: { ...request, signal: state.lateSignal } }
  const before = opening(place)
  const message = `${before}${inRange(statement, condition)}`
  return await cancelledOnSignal(late, async () => {
    const rows = await changedRows(client, message)
    await client.query(`${recordBatch(place, { upTo, rows, walked, isLast })};COMMIT`)
    return { upTo, rows, walked, isLast }
  }).catch((error: unknown) => {
    if (isLostPlace(error)) throw new LockLost("another process has run a batch of the same backfill", { cause: error })
    const reason = lostOr(client, error)
    throw reason instanceof pg.DatabaseError ? new StatementRefused(reason, { before, message, condition }) : reason
  })
}

async function changedRows(client: Client, message: string): Promise<number> {
  const results: pg.QueryResult | pg.QueryResult[] = await client.query(message)
  return (Array.isArray(results) ? results.at(-1) : results)?.rowCount ?? 0
}

/** Waits while a replica is further behind than is accepted. */
async function waitForReplicas({ client, request, state }: BackfillContext, name: string, done: string): Promise<void> {
  const { settings, signal, onEvent, url } = request
  if (settings.maxLag === 0) return
  const started = performance.now()
  let reported = Number.NEGATIVE_INFINITY
  for (;;) {
    const furthest = await state.replicas.furthest(client, url.user).catch((error: unknown) => {
      throw refusalOf(client, error)
    })
    if (furthest === undefined || furthest.lagMs <= settings.maxLag) return
    const waitedMs = Math.round(performance.now() - started)
    if (waitedMs - reported >= reportEveryMs * 5) {
      reported = waitedMs
      onEvent({ event: "waiting-for-replica", name, ...furthest, waitedMs })
    }
    await pause(lookAtReplicaEveryMs, signal, done)
  }
}
