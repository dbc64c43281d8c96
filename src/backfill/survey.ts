import { readDatabase } from "../deploy/connect/read.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type BackfillFile, parseBackfill } from "./file.js"
import { estimatedRows, findKey, keyAt, lastKeyOf, nameOfKey, rangeCondition } from "./key.js"
import { backfillLock, type Recorded, readProgress } from "./progress.js"
import { inRange } from "./statement.js"

/** Where a backfill stands in a database. */
export interface Surveyed {
  readonly name: string
  readonly file: string
  readonly state: "not started" | "running" | "unfinished" | "finished"
  /** Whether the file was edited since it began. */
  readonly isEdited: boolean
  readonly recorded: Recorded | undefined
}

/** Where to look. */
export interface SurveyRequest {
  readonly url: DatabaseUrl
  readonly applicationName: string
  readonly connections?: 1 | 2 | undefined
  readonly backfills: readonly BackfillFile[]
}

/** Where backfills stand. Reads only. Errors: L1021, L12xx, L2108. */
export async function surveyBackfills(request: SurveyRequest): Promise<readonly Surveyed[]> {
  return await readDatabase(request, (client) => survey(client, request))
}

/** The same over a connection that is open. */
export async function survey(
  client: Client,
  { url, backfills }: Pick<SurveyRequest, "url" | "backfills">,
): Promise<readonly Surveyed[]> {
  const recorded = await readProgress(client, url)
  const surveyed: Surveyed[] = []
  for (const { name, file, checksum } of backfills) {
    const one = recorded.get(name)
    const isEdited = one !== undefined && one.checksum !== checksum
    surveyed.push({ name, file, state: await stateOf(client, url, { name, recorded: one }), isEdited, recorded: one })
  }
  return surveyed
}

async function stateOf(
  client: Client,
  { schema }: DatabaseUrl,
  { name, recorded }: { readonly name: string; readonly recorded: Recorded | undefined },
): Promise<Surveyed["state"]> {
  if (recorded?.finishedAt !== undefined) return "finished"
  const { isHeld } = backfillLock({ schema, name })
  const { rows } = await client.query(
    `SELECT FROM pg_catalog.pg_locks WHERE ${isHeld} AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())`,
  )
  if (rows.length > 0) return "running"
  return recorded === undefined ? "not started" : "unfinished"
}

/** What a run would do. */
export interface DryRun extends Surveyed {
  /** The table, qualified and quoted, and the columns by which it is walked; undefined where there is nothing to do. */
  readonly table: string
  readonly key: string
  /** About how many rows are left to walk, and in how many batches of the greatest size at least. */
  readonly estimated: number
  readonly batches: number
  /** The statement of the next batch; undefined where the table has no row. */
  readonly sql: string | undefined
}

/** What a run of those that are not finished would do. Reads only. Errors: L2101, L2104, L2108, L1021, L12xx. */
export async function dryRun(request: SurveyRequest & { readonly batch: number }): Promise<readonly DryRun[]> {
  const { url, backfills } = request
  return await readDatabase(request, async (client) => {
    await client.query(`SET search_path=${quoteIdentifier(url.schema)}`)
    const surveyed = await survey(client, request)
    const plans: DryRun[] = []
    for (const [at, one] of surveyed.entries()) {
      const file = backfills[at]
      if (one.state === "finished" || file === undefined) continue
      plans.push({ ...one, ...(await planOf(client, file, { recorded: one.recorded, batch: request.batch })) })
    }
    return plans
  })
}

async function planOf(
  client: Client,
  file: BackfillFile,
  { recorded, batch }: { readonly recorded: Recorded | undefined; readonly batch: number },
): Promise<Pick<DryRun, "table" | "key" | "estimated" | "batches" | "sql">> {
  const backfill = await parseBackfill(file)
  const { statement } = backfill
  const key = await findKey(client, backfill)
  const size = Math.max(1, Math.min(batch, backfill.batch ?? batch))
  const upperKey = recorded === undefined ? await lastKeyOf(client, key) : recorded.upperKey
  const walked = recorded?.walked ?? 0
  const estimated = upperKey === undefined ? 0 : Math.max(1, (await estimatedRows(client, key)) - walked)
  const facts = { table: key.table, key: nameOfKey(key), estimated, batches: Math.ceil(estimated / size) }
  if (upperKey === undefined) return { ...facts, sql: undefined }
  const left = { after: recorded?.lastKey, upTo: upperKey }
  const upTo = (await keyAt(client, key, { ...left, count: size })) ?? upperKey
  return { ...facts, sql: inRange(statement, rangeCondition(key, { ...left, upTo }, statement.reference)) }
}
