import { LockstepError } from "../../errors.js"
import type { FolderMigration } from "../../history/folder.js"
import { readHistory } from "../../history/recorded.js"
import type { Client } from "../../postgres/connect.js"
import { begin, type DeployRequest, finish, type Ledger, settle } from "../context.js"
import { interrupted, throwIfInterrupted } from "../interrupt.js"
import { type Prepared, prepareEach } from "./prepare.js"
import { watched } from "./progress.js"
import { applyStepwise } from "./stepwise.js"
import type { Resume } from "./stepwise-run.js"
import { applyBatch, applyTransactional, untouched } from "./transactional.js"

/** What is to be applied, in order. */
export interface Work {
  readonly migrations: readonly FolderMigration[]
  /** Where the first one is gone on with; it is checked against the file. */
  readonly resume: ((prepared: Prepared) => Resume) | undefined
  /** Names that have a row of an earlier attempt, which was marked as rolled back. */
  readonly attempted: ReadonlySet<string>
  /** How many stand applied before the first. */
  readonly before: number
}

/** Applies migrations in order; tells of each. Every file is checked before the first is applied. */
export async function applyAll(client: Client, work: Work, request: DeployRequest, ledger: Ledger): Promise<void> {
  const { migrations, before } = work
  const alreadyApplied = ledger.applied.length
  const standing = () => before + ledger.applied.length - alreadyApplied

  const applyOne = async (one: Prepared): Promise<void> => {
    const { name } = one.migration
    throwIfInterrupted(request.signal, stoppedBefore(name, standing()))
    const resume = one.course === "begun" ? work.resume?.(one) : undefined
    request.onEvent({ event: "started", name, class: one.class, index: standing(), of: before + migrations.length })
    const steps = { resume, attempted: work.attempted.has(name) }
    // What an interrupted deploy of ours found out about the file's statements holds still.
    let prepared = (resume && ledger.begun.get(resume.id)) ?? one
    const durationMs = await watched(client, request, [{ name, id: undefined }], async () => {
      if (prepared.class === "transactional" && resume === undefined) {
        const done = await applyTransactional(client, prepared, request, ledger, standing())
        if (typeof done === "number") return done
        prepared = done
      }
      return await applyStepwise(client, prepared, request, ledger, steps)
    }).catch((error: unknown) => {
      if (error instanceof LockstepError && error.code !== "L1001") request.onEvent({ event: "failed", name })
      throw error
    })
    finish(ledger, prepared, durationMs, request)
  }

  const applyTogether = async (batch: readonly Prepared[]): Promise<void> => {
    const sent = batch.map((one) => ({ prepared: one, id: begin(ledger, one), name: one.migration.name }))
    const durations = await watched(client, request, sent, () => applyBatch(client, sent, request))
    if (durations !== undefined) {
      for (const [index, one] of batch.entries()) finish(ledger, one, durations[index] ?? 0, request)
      return
    }
    settle(ledger, (await readHistory(client, request.url.schema)) ?? [], request)
    if (request.signal.aborted) throw interrupted(untouched(standing()))
    for (const one of batch) if (!ledger.applied.includes(one.migration.name)) await applyOne(one)
  }

  const apply = async (batch: readonly Prepared[]): Promise<void> => {
    const [only, ...more] = batch
    if (only === undefined) return
    throwIfInterrupted(request.signal, stoppedBefore(only.migration.name, standing()))
    await (more.length === 0 ? applyOne(only) : applyTogether(batch))
  }

  const coming = batches(prepareEach(client, migrations, work.resume ? "begun" : "new"))
  let next = await coming.next()
  while (!next.done) {
    // While the server works, the parser does.
    const [, following] = await Promise.all([apply(next.value), coming.next()])
    next = following
  }
}

const stoppedBefore = (name: string, standing: number): string =>
  `${standing === 1 ? "1 migration stands" : `${standing} migrations stand`} applied; ${name} was not begun.`

/**
 * A message saves the round trips between its migrations. The first is short, because the server waits until it is
 * parsed; each is twice as long as the one before, until longer ones would only say nothing for a while.
 */
const firstSize = 8
const largestSize = 64
const batchBytes = 64 * 1024

/** Groups consecutive small transactional migrations; every other one, and one that is gone on with, stands alone. */
export async function* batches(prepared: AsyncIterable<Prepared>): AsyncGenerator<readonly Prepared[], undefined> {
  let batch: Prepared[] = []
  let bytes = 0
  let limit = firstSize
  for await (const one of prepared) {
    const size = one.sql.length
    const joins = one.class === "transactional" && !one.unparsed && one.course === "new"
    if (batch.length > 0 && (!joins || batch.length === limit || bytes + size > batchBytes)) {
      yield batch
      batch = []
      bytes = 0
      limit = Math.min(2 * limit, largestSize)
    }
    if (!joins) yield [one]
    else {
      batch.push(one)
      bytes += size
    }
  }
  if (batch.length > 0) yield batch
}
