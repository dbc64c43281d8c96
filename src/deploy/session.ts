import { areAsRecorded } from "../history/as-recorded.js"
import { type Comparison, compare } from "../history/compare.js"
import { noMigrations } from "../history/empty.js"
import { type RecordedRow, readHistory } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { refuseLostCommits, timedOut } from "./after-loss.js"
import { endWithDeployer, freshSettings } from "./fresh-session.js"
import { type Ledger, settle } from "./ledger.js"
import { takeLock } from "./lock.js"
import { type DeployPlan, planDeploy } from "./plan.js"
import { openHistory } from "./prepare-history.js"
import type { DeployRequest, DeployResult } from "./request.js"

/** What a deploy finds, and leaves, in the history. */
export type Outcome = Pick<DeployResult, "appliedMeanwhile" | "ahead" | "recorded" | "edited">

type Work = Extract<DeployPlan, { kind: "go" }>

/** A deploy over one connection, under the migration lock. Errors: those of deploy(); ConnectionLost. */
export async function deployOver(client: Client, request: DeployRequest, ledger: Ledger): Promise<Outcome> {
  const { url, folder, onEvent } = request
  const waitedSince = await takeLock(client, request, ledger.losses > 0 ? "own orphan" : "others")
  const isFirst = waitedSince === undefined && ledger.losses === 0
  const outcome =
    isFirst && (await areAsRecorded(client, url.schema, folder))
      ? nothingToDo(request, ledger)
      : await bringUpToDate(client, request, ledger, waitedSince)
  onEvent({ event: "proved", recorded: outcome.recorded, of: folder.migrations.length })
  if (request.proveSchema) {
    const { proveSchema } = await import("./prove-schema.js")
    await proveSchema(client, request, request.proveSchema)
  }
  return outcome
}

function nothingToDo(request: DeployRequest, ledger: Ledger): Outcome {
  tell({ apply: [], notes: [] }, request, ledger)
  return { appliedMeanwhile: 0, ahead: false, recorded: request.folder.migrations.length, edited: 0 }
}

async function bringUpToDate(
  client: Client,
  request: DeployRequest,
  ledger: Ledger,
  waitedSince: string | undefined,
): Promise<Outcome> {
  if (ledger.losses > 0) refuseLostCommits((await readHistory(client, request.url.schema)) ?? [], ledger)
  const recorded = await openHistory(client, request)
  const { unknown } = ledger
  settle(ledger, recorded, request)
  if (ledger.end !== undefined) throw timedOut(ledger.end, unknown, ledger)
  const comparison = compare(request.folder.migrations, recorded)
  refuseEmpty(request, comparison)
  const plan = planDeploy(comparison, request.settings, ledger.begun)
  if (plan.kind === "blocked") {
    const { blockedBy } = await import("./blocked.js")
    throw await blockedBy(client, plan)
  }
  tell(plan, request, ledger)
  const { length: before } = comparison.applied
  return {
    appliedMeanwhile: waitedSince === undefined ? 0 : appliedSince(waitedSince, recorded, ledger),
    ahead: comparison.ahead,
    recorded: plan.apply.length > 0 ? await apply(client, plan, comparison, request, ledger) : before,
    edited: comparison.edited.length,
  }
}

/** A database with a history, and a folder without any: the folder is the wrong one. Errors: L1106. */
function refuseEmpty({ folder, settings }: DeployRequest, { all }: Comparison): void {
  if (folder.migrations.length > 0 || all.length === 0 || settings.allowEmpty) return
  throw noMigrations(folder.dir, [
    `The database's history has ${all.length === 1 ? all[0]?.name : `${all.length} migrations`}.`,
  ])
}

function tell(
  { apply, notes }: Pick<Work, "apply" | "notes">,
  { folder, onEvent }: DeployRequest,
  ledger: Ledger,
): void {
  if (ledger.told) return
  ledger.told = true
  for (const text of [...folder.remarks, ...notes]) onEvent({ event: "note", text })
  onEvent({ event: "planned", total: folder.migrations.length, pending: apply.map(({ name }) => name) })
}

const appliedSince = (since: string, recorded: readonly RecordedRow[], { begun }: Ledger): number =>
  recorded.filter(({ id, finishedAt }) => finishedAt !== null && finishedAt >= since && !begun.has(id)).length

/** Resolves to how many are applied, read back from the history. */
async function apply(
  client: Client,
  { apply: migrations, resume }: Work,
  comparison: Comparison,
  request: DeployRequest,
  ledger: Ledger,
): Promise<number> {
  const [{ applyAll }, { proveHistory }, { resumeAt }] = await Promise.all([
    import("./apply.js"),
    import("./prove.js"),
    import("./resume.js"),
    import("../sql/parser.js").then(({ loadParser }) => loadParser()),
    endWithDeployer(client).then(() => client.query(freshSettings(client, request))),
  ])
  const from = resume && ((prepared: Parameters<typeof resumeAt>[0]) => resumeAt(prepared, resume))
  const attempted = new Set(comparison.pending.flatMap(({ name, rolledBack }) => (rolledBack ? [name] : [])))
  const work = { migrations, resume: from, attempted, before: comparison.applied.length }
  await applyAll(client, work, request, ledger)
  return await proveHistory(client, request, comparison)
}
