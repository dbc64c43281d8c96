import { discards, prepareSession } from "../deploy/apply/session.js"
import { closeDatabase, openDatabase } from "../deploy/connect/database.js"
import { takeLock } from "../deploy/connect/lock.js"
import { type ConnectRequest, defaultSettings } from "../deploy/context.js"
import { ConnectionLost, connectionLost, LockLost, lostOr } from "../deploy/failure.js"
import { backoffMs, interrupted, pause } from "../deploy/interrupt.js"
import { LockstepError, preceded } from "../errors.js"
import type { BackfillContext, BackfillRequest, BackfillResult, RunState } from "./context.js"
import { type Backfill, parseBackfill } from "./file.js"
import { estimatedRows, findKey, type Key, lastKeyOf, nameOfKey } from "./key.js"
import { ReplicaLag } from "./lag.js"
import {
  backfillLock,
  createProgress,
  forgetProgress,
  progressRefused,
  type Recorded,
  readProgress,
  recordBeginning,
} from "./progress.js"
import { acceptEdit, inWords, requireMigrations, timedOut } from "./refusals.js"
import { retrying } from "./retry.js"
import { walkRows } from "./walk.js"

/** How long a batch may take after a signal: the process has 1.8 s to end. */
const graceMs = 1000

/**
 * Runs backfills, one after another: each walks its table by the key, and records every batch in the batch's own
 * transaction, so that each row is handled once, whatever is killed when. After a lost connection it continues from what
 * is recorded. Errors: L2101 to L2109, L1001 interrupted, L1014, L1016, L1021, L12xx.
 */
export async function runBackfills(request: BackfillRequest): Promise<BackfillResult> {
  const started = performance.now()
  const { signal } = request
  // Whatever is wrong with a file is refused before the first is run.
  const backfills = await Promise.all(request.backfills.map(parseBackfill))
  const late = new AbortController()
  const abortLate = () => void setTimeout(() => late.abort(signal.reason), graceMs).unref()
  signal.addEventListener("abort", abortLate, { once: true })
  const state: RunState = {
    ...{ finished: [], finishedBefore: [], restarted: new Set<string>(), started: new Set<string>() },
    ...{ batches: 0, disconnects: 0, lateSignal: late.signal, replicas: new ReplicaLag() },
  }
  try {
    await untilDone(request, state, backfills)
  } catch (error) {
    throw state.finished.length === 0 ? error : preceded(error, `Finished before: ${state.finished.join(", ")}.`)
  } finally {
    signal.removeEventListener("abort", abortLate)
  }
  const { finished, finishedBefore } = state
  return { finished, finishedBefore, durationMs: Math.round(performance.now() - started) }
}

async function untilDone(request: BackfillRequest, state: RunState, backfills: readonly Backfill[]): Promise<void> {
  const { settings, signal, onEvent } = request
  let batches = 0
  for (let attempt = 0; ; attempt++) {
    try {
      return await runOnce(request, state, backfills)
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error
      state.disconnects++
      if (state.batches > batches) attempt = 0
      batches = state.batches
      if (signal.aborted) throw interrupted(recordedOnly)
      if (attempt >= settings.retries) throw givenUp(error)
      const delayMs = error instanceof LockLost ? 0 : backoffMs(attempt)
      const reason = error instanceof LockLost ? error.message : `the connection was lost: ${error.message}`
      onEvent({ event: "retry", attempt: attempt + 1, of: settings.retries, delayMs, reason })
      await pause(delayMs, signal, recordedOnly)
    }
  }
}

const recordedOnly =
  "the batches that are recorded are committed, and nothing else: `lockstep backfill --list` shows them."

/** L1016 with the state of a backfill. */
function givenUp(loss: ConnectionLost): LockstepError {
  const { code, message, details } = connectionLost(loss)
  return new LockstepError(code, message, {
    ...details,
    state: recordedOnly,
    next: "check the server's log, then run the same command again",
  })
}

/** What a deploy's connection reports, as far as it concerns a backfill. */
function connecting(request: BackfillRequest, name?: string): ConnectRequest {
  const { onEvent, settings, ...rest } = request
  const { connectTimeout, lockWait, lockTimeout, retries } = settings
  return {
    ...rest,
    settings: { ...defaultSettings, connectTimeout, lockWait, lockTimeout, retries },
    onEvent: (event) => {
      if (event.event === "waiting-for-database") onEvent(event)
      if (event.event === "waiting-for-lock" && name !== undefined)
        onEvent({
          event: event.event,
          name,
          waitedMs: event.waitedMs,
          ...(event.holder && { holder: inWords(event.holder) }),
        })
    },
  }
}

async function runOnce(request: BackfillRequest, state: RunState, backfills: readonly Backfill[]): Promise<void> {
  const client = await openDatabase(connecting(request), state.disconnects > 0 ? "again" : "on existing")
  try {
    const { schema, user } = request.url
    await prepareSession({ client, request: connecting(request) })
    // A runner that vanished between two messages of a batch must not keep its rows locked.
    await client.query("SET idle_in_transaction_session_timeout='30s'")
    const context = { client, request, state }
    const recorded = await readProgress(client, { schema, user })
    await requireMigrations(
      context,
      backfills.filter((one) => isToRun(context, recorded.get(one.name), one)),
    )
    for (const backfill of backfills) await runOne(context, backfill)
  } catch (error) {
    throw progressRefused(lostOr(client, error), request.url.user)
  } finally {
    await closeDatabase(client)
  }
}

function isToRun({ request, state }: BackfillContext, recorded: Recorded | undefined, { name }: Backfill): boolean {
  if (state.finished.includes(name)) return false
  return recorded?.finishedAt === undefined || (request.settings.restart && !state.restarted.has(name))
}

async function runOne(context: BackfillContext, backfill: Backfill): Promise<void> {
  const { client, request, state } = context
  const { schema, user } = request.url
  const { name } = backfill
  if (state.finished.includes(name)) return
  const before = (await readProgress(client, { schema, user })).get(name)
  if (!isToRun(context, before, backfill)) {
    finishedBefore(context, backfill, before)
    return
  }
  await createProgress(client, user)
  const lock = backfillLock({ schema, name })
  await takeLock(client, connecting(request, name), {
    holder: state.disconnects > 0 ? "own orphan" : "others",
    other: {
      ...{
        lock,
        state: "nothing was touched; another process runs the backfill.",
        timedOut: (ms, holder) => timedOut(name, ms, holder),
      },
    },
  })
  await runLocked(context, backfill)
  await client.query(`SELECT pg_advisory_unlock(${lock.key});${discards.join(";")}`)
}

function finishedBefore({ request, state }: BackfillContext, { name, checksum }: Backfill, recorded?: Recorded): void {
  if (recorded !== undefined && recorded.checksum !== checksum && !state.finishedBefore.includes(name))
    request.onEvent({
      event: "note",
      text: `${name} was edited after it was finished; \`lockstep backfill ${name} --restart\` runs it again`,
    })
  if (!state.finishedBefore.includes(name)) state.finishedBefore.push(name)
}

/** Runs a backfill whose lock this session has; another process may have run it meanwhile. */
async function runLocked(context: BackfillContext, backfill: Backfill): Promise<void> {
  const { client, request, state } = context
  const { settings, url, onEvent } = request
  const { schema, user } = url
  const { name } = backfill
  const read = async () => (await readProgress(client, { schema, user })).get(name)
  if (settings.restart && !state.restarted.has(name)) {
    await forgetProgress(client, { schema, name })
    state.restarted.add(name)
  }
  const found = await read()
  if (found?.finishedAt !== undefined) {
    // After a lost connection the last batch may have been this run's own.
    if (state.started.has(name)) finish(context, found)
    else finishedBefore(context, backfill, found)
    return
  }
  const key = await findKey(client, backfill)
  if (found !== undefined) await acceptEdit(context, { backfill, found, key })
  else await begin(context, backfill, key)
  const recorded = await read()
  if (recorded === undefined) throw new LockLost("another process has forgotten the progress of the backfill")
  if (!state.started.has(name)) {
    const { rows, walked, estimated } = recorded
    onEvent({ event: "started", name, table: key.table, key: nameOfKey(key), rows, walked, estimated })
    state.started.add(name)
  }
  const { upperKey } = recorded
  if (upperKey === undefined) finish(context, recorded)
  else {
    await walkRows(context, { backfill, key, recorded: { ...recorded, upperKey } })
    state.finished.push(name)
  }
}

function finish({ request, state }: BackfillContext, { name, rows, walked, batches }: Recorded): void {
  request.onEvent({ event: "finished", name, rows, walked, batches, durationMs: 0 })
  state.finished.push(name)
}

async function begin(context: BackfillContext, backfill: Backfill, key: Key): Promise<void> {
  const { client, request } = context
  const progress = { rows: 0, walked: 0, batches: 0 }
  const work = async () => {
    const upperKey = await lastKeyOf(client, key)
    const estimated = upperKey === undefined ? 0 : await estimatedRows(client, key)
    await recordBeginning(client, request.url.schema, { file: backfill, key: nameOfKey(key), upperKey, estimated })
  }
  await retrying(context, { backfill, key, progress }, { work, onRefused: () => undefined })
}
