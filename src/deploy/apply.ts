import type { FolderMigration } from "../history/folder.js"
import { readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { throwIfInterrupted } from "./interrupt.js"
import { type Prepared, prepare } from "./prepare.js"
import type { DeployRequest } from "./request.js"
import { applyStepwise, type Progress } from "./stepwise.js"
import { applyBatch, applyTransactional } from "./transactional.js"

/** A message of ten small migrations saves nine round trips; larger ones gain nothing from it. */
const batchSize = 10
const batchBytes = 64 * 1024

/** What is to be applied: in order, and where the first one is gone on with. */
export interface Work {
  readonly migrations: readonly FolderMigration[]
  readonly progress: Progress | undefined
  /** How many stand applied before the first. */
  readonly before: number
}

/** Applies migrations in order; tells of each. Every file is read and classified before the first is applied. */
export async function applyAll(
  client: Client,
  { migrations, progress, before }: Work,
  request: DeployRequest,
  applied: string[],
): Promise<void> {
  const prepared: Prepared[] = []
  for (const migration of migrations) prepared.push(await prepare(migration))
  for (const batch of batches(prepared, progress)) {
    throwIfInterrupted(request.signal, `${before + applied.length} migrations stand applied; the next was not begun.`)
    const done = (one: Prepared, durationMs: number) => {
      applied.push(one.migration.name)
      request.onEvent({ event: "applied", name: one.migration.name, class: one.class, durationMs })
    }
    const [first] = batch
    if (first === undefined) continue
    const durations = batch.length > 1 ? await applyBatch(client, batch, request) : undefined
    if (durations) for (const [index, one] of batch.entries()) done(one, durations[index] ?? 0)
    else
      await applySingly(client, batch, request, {
        progress: first === prepared[0] ? progress : undefined,
        before: before + applied.length,
        total: prepared.length,
        done,
      })
  }
}

interface Singly {
  readonly progress: Progress | undefined
  readonly before: number
  readonly total: number
  readonly done: (one: Prepared, durationMs: number) => void
}

async function applySingly(
  client: Client,
  batch: readonly Prepared[],
  request: DeployRequest,
  { progress, before, total, done }: Singly,
): Promise<void> {
  const recorded = batch.length > 1 ? await readHistory(client, request.url.schema) : []
  const finished = new Set(
    recorded?.flatMap(({ name, finishedAt, rolledBackAt }) => (finishedAt && !rolledBackAt ? [name] : [])),
  )
  let index = before
  for (const one of batch) {
    const { name } = one.migration
    throwIfInterrupted(request.signal, `${index} migrations stand applied; ${name} was not begun.`)
    if (finished.has(name)) done(one, 0)
    else {
      request.onEvent({ event: "started", name, class: one.class, index, of: total })
      const durationMs =
        one.class === "transactional"
          ? await applyTransactional(client, one, request, index)
          : await applyStepwise(client, one, request, progress)
      done(one, durationMs)
    }
    index++
  }
}

function* batches(prepared: readonly Prepared[], progress: Progress | undefined): Generator<readonly Prepared[]> {
  let batch: Prepared[] = []
  let bytes = 0
  for (const one of prepared) {
    const small = one.class === "transactional" && !one.unparsed && !(progress && one === prepared[0])
    const size = one.migration.content.length
    if (batch.length > 0 && (!small || batch.length === batchSize || bytes + size > batchBytes)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(one)
    bytes += size
    if (!small) {
      yield batch
      batch = []
      bytes = 0
    }
  }
  if (batch.length > 0) yield batch
}
