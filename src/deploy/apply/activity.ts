import { committedRows } from "../../history/rows.js"
import { type Client, connect } from "../../postgres/connect.js"
import type { DeployContext } from "../context.js"
import type { Prepared } from "./prepare.js"

const firstAfterMs = 1000
const everyMs = 1000

/** A migration that is sent, and the id of the history row that it commits with; none where it is sent alone. */
interface Subject {
  readonly prepared: Pick<Prepared, "migration">
  readonly id?: string
}

/**
 * Does work, and where it takes longer than a second reports once a second what the server does. That takes a second
 * connection, because the first is busy, and so happens only where the report is read. Each query is a transaction of
 * its own, because a concurrent index build waits for older snapshots. Without a free connection there is no report.
 */
export async function reportActivity<T>(
  { client, request }: DeployContext,
  subjects: readonly Subject[],
  work: () => Promise<T>,
): Promise<T> {
  if (!request.reportsActivity) return await work()
  const started = performance.now()
  let observer: Promise<Client | undefined> | undefined
  let timer: NodeJS.Timeout | undefined
  let over = false
  const look = async () => {
    observer ??= connect(request.url, { applicationName: `${request.applicationName} (progress)` }).catch(
      () => undefined,
    )
    const connection = await observer
    if (connection === undefined) observer = undefined
    const query = activityQuery(request.url.schema)
    const ids = subjects.flatMap(({ id }) => id ?? [])
    const seen = await connection?.query<Row>(query, [client.processID, ids]).catch(() => undefined)
    if (over) return
    const elapsedMs = Math.round(performance.now() - started)
    request.onEvent({ event: "progress", ...activityIn(seen?.rows[0], subjects), elapsedMs })
    timer = setTimeout(() => void look(), everyMs)
  }
  timer = setTimeout(() => void look(), firstAfterMs)
  try {
    return await work()
  } finally {
    over = true
    clearTimeout(timer)
    void observer?.then((connection) => connection?.end()).catch(() => undefined)
  }
}

interface Row {
  /** How many of the subjects are committed: the next one is what runs. */
  readonly done: string
  readonly doing: string
  readonly percent: string | null
}

const activityIn = (row: Row | undefined, subjects: readonly Subject[]) => ({
  name: subjects[Number(row?.done ?? 0)]?.prepared.migration.name ?? "",
  doing: row?.doing ?? "running",
  percent: row?.percent == null ? undefined : Number(row.percent),
})

/** The first that applies: waiting for a lock, building an index, rewriting a table, vacuuming one. */
const activityQuery = (schema: string) => `SELECT ${committedRows(schema, "$2")} AS done, coalesce(
    CASE WHEN a.wait_event_type = 'Lock' AND i.phase IS NULL THEN 'waiting for a lock that '
      || coalesce((SELECT string_agg(format('pid %s (%s)', b.pid, b.application_name), ', ') FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid))), 'another session')
      || ' holds' END,
    i.command || ': ' || i.phase, c.command || ': ' || c.phase, 'VACUUM: ' || v.phase, 'running') AS doing,
  round(100.0 * coalesce(
    coalesce(i.blocks_done::numeric / nullif(i.blocks_total, 0), i.tuples_done::numeric / nullif(i.tuples_total, 0), i.lockers_done::numeric / nullif(i.lockers_total, 0)),
    c.heap_blks_scanned::numeric / nullif(c.heap_blks_total, 0), v.heap_blks_scanned::numeric / nullif(v.heap_blks_total, 0))) AS percent
  FROM pg_stat_activity a
  LEFT JOIN pg_stat_progress_create_index i ON i.pid = a.pid
  LEFT JOIN pg_stat_progress_cluster c ON c.pid = a.pid
  LEFT JOIN pg_stat_progress_vacuum v ON v.pid = a.pid
  WHERE a.pid = $1`
