import { historyTable } from "../../history/recorded.js"
import { type Client, connect } from "../../postgres/connect.js"
import type { DeployRequest } from "../context.js"

const firstAfterMs = 1000
const everyMs = 1000

/** A migration that is sent, and the id of the history row that it commits with; undefined where it is alone. */
export interface Subject {
  readonly name: string
  readonly id: string | undefined
}

/**
 * Does work, and when it lasts longer than a second tells once a second what the server does: over a second connection,
 * because the first is busy, and only where somebody watches. Each look is a statement of its own, so that no snapshot
 * lives on that a concurrent index build would have to wait for. Without a free connection there is simply no progress.
 */
export async function watched<T>(
  client: Client,
  request: DeployRequest,
  subjects: readonly Subject[],
  work: () => Promise<T>,
): Promise<T> {
  if (!request.watched) return await work()
  const started = performance.now()
  let watcher: Promise<Client | undefined> | undefined
  let timer: NodeJS.Timeout | undefined
  let over = false
  const look = async () => {
    watcher ??= connect(request.url, { applicationName: `${request.applicationName} (progress)` }).catch(
      () => undefined,
    )
    const connection = await watcher
    if (connection === undefined) watcher = undefined
    const seen = connection && (await activity(connection, client, request, subjects).catch(() => undefined))
    if (over) return
    const elapsedMs = Math.round(performance.now() - started)
    const name = subjects[seen?.done ?? 0]?.name ?? ""
    request.onEvent({ event: "progress", name, doing: seen?.doing ?? "running", percent: seen?.percent, elapsedMs })
    timer = setTimeout(() => void look(), everyMs)
  }
  timer = setTimeout(() => void look(), firstAfterMs)
  try {
    return await work()
  } finally {
    over = true
    clearTimeout(timer)
    void watcher?.then((connection) => connection?.end()).catch(() => undefined)
  }
}

/** The first that applies: a lock that is waited for, an index that is built, a table that is rewritten or vacuumed. */
const query = (
  schema: string,
) => `SELECT (SELECT count(*) FROM ${historyTable(schema)} WHERE id = ANY ($2)) AS done, coalesce(
    CASE WHEN a.wait_event_type = 'Lock' AND i.phase IS NULL THEN 'waiting for a lock that '
      || coalesce((SELECT string_agg(format('pid %s (%s)', b.pid, b.application_name), ', ') FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid))), 'somebody')
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

interface Activity {
  /** How many of the subjects are committed: the next one is what runs. */
  readonly done: number
  readonly doing: string
  readonly percent: number | undefined
}

async function activity(
  connection: Client,
  client: Client,
  { url }: DeployRequest,
  subjects: readonly Subject[],
): Promise<Activity | undefined> {
  const { processID } = client as Client & { readonly processID?: number | null }
  const ids = subjects.flatMap(({ id }) => id ?? [])
  const { rows } = await connection.query<{ done: string; doing: string; percent: string | null }>(query(url.schema), [
    processID,
    ids,
  ])
  const [row] = rows
  if (row === undefined) return undefined
  const percent = row.percent === null ? undefined : Number(row.percent)
  return { done: Number(row.done), doing: row.doing, percent }
}
