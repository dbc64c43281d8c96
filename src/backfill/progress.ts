import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import { checksumOf } from "../history/folder.js"
import type { AdvisoryLock } from "../history/lock.js"
import { isoTime } from "../history/recorded.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, quoteLiteral } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import type { BackfillFile } from "./file.js"
import type { KeyValues } from "./key.js"

/** How far a backfill is, as the database records it. Times are ISO 8601 UTC. */
export interface Recorded {
  readonly name: string
  readonly checksum: string
  /** The columns by which the table is walked. */
  readonly key: string
  /** Up to where rows are done; undefined before the first batch. */
  readonly lastKey: KeyValues | undefined
  /** The last key when it began; undefined where the table had no row. */
  readonly upperKey: KeyValues | undefined
  /** Rows that the statement has changed. */
  readonly rows: number
  /** Rows that were walked, and about how many there were when it began. */
  readonly walked: number
  readonly estimated: number
  readonly batches: number
  readonly startedAt: string
  readonly finishedAt: string | undefined
  /** Why it stopped. */
  readonly error: string | undefined
}

/** Of whose backfill: the history's schema, and the name. */
export interface BackfillId {
  readonly schema: string
  readonly name: string
}

/** A schema of its own, which Prisma's engine does not look at: a table beside the models' would be drift. */
const schemaName = quoteIdentifier("_lockstep")
const table = `${schemaName}."backfills"`

const createTable = `CREATE TABLE IF NOT EXISTS ${table} (
  history text NOT NULL, name text NOT NULL, checksum text NOT NULL, key text NOT NULL,
  last_key text[], upper_key text[], rows bigint NOT NULL DEFAULT 0, walked bigint NOT NULL DEFAULT 0,
  estimated bigint NOT NULL DEFAULT 0, batches bigint NOT NULL DEFAULT 0, started_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(), finished_at timestamptz, error text, PRIMARY KEY (history, name))`

/**
 * Creates the table of progress where there is none. Errors: L2108 the role may not.
 */
export async function createProgress(client: Client, user: string): Promise<void> {
  const { rows } = await client.query<{ schema: string | null; found: string | null }>(
    "SELECT to_regnamespace($1) AS schema, to_regclass($2) AS found",
    [schemaName, table],
  )
  if (rows[0]?.found != null) return
  try {
    // IF NOT EXISTS requires the privilege to create also where it exists.
    if (rows[0]?.schema == null) await client.query(`CREATE SCHEMA IF NOT EXISTS ${schemaName}`)
    await client.query(createTable)
  } catch (error) {
    // Two runners of different backfills may both create it.
    if (["23505", "42P06", "42P07"].includes(sqlstateOf(error) ?? "")) return
    throw progressRefused(error, user)
  }
}

/** L2108 for what PostgreSQL refused of a statement on the table of progress; anything else as it is. */
export function progressRefused(error: unknown, user: string): unknown {
  if (!(error instanceof DatabaseError) || !["42501", "42P01", "3F000"].includes(error.code ?? "")) return error
  return new LockstepError("L2108", `the role "${user}" may not keep the progress of backfills in ${table}`, {
    sqlstate: error.code,
    hint: error.message,
    state: "nothing was touched.",
    next: `as a role that may: CREATE SCHEMA IF NOT EXISTS ${schemaName} AUTHORIZATION ${quoteIdentifier(user)}; or where it exists: GRANT USAGE ON SCHEMA ${schemaName} TO ${quoteIdentifier(user)}, GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schemaName} TO ${quoteIdentifier(user)}`,
    cause: error,
  })
}

const array = (values: KeyValues | undefined): string =>
  values === undefined ? "NULL" : `ARRAY[${values.map(quoteLiteral).join(",")}]::text[]`

const isIt = ({ schema, name }: BackfillId): string => `history=${quoteLiteral(schema)} AND name=${quoteLiteral(name)}`

/** What is recorded of a history's backfills, by their names; nothing where there is no table. Errors: L2108. */
export async function readProgress(
  client: Client,
  { schema, user }: { readonly schema: string; readonly user: string },
): Promise<ReadonlyMap<string, Recorded>> {
  const { rows } = await client
    .query<Record<string, string | null>>(
      `SELECT name, checksum, key, to_json(last_key) AS last_key, to_json(upper_key) AS upper_key, rows, walked, estimated, batches,
        ${isoTime("started_at")} AS started_at, ${isoTime("finished_at")} AS finished_at, error
      FROM ${table} WHERE history=${quoteLiteral(schema)}`,
    )
    .catch((error: unknown) => {
      if (["42P01", "3F000"].includes(sqlstateOf(error) ?? "")) return { rows: [] }
      throw progressRefused(error, user)
    })
  return new Map(rows.map((row) => [row.name ?? "", recordedOf(row)]))
}

const recordedOf = (row: Readonly<Record<string, string | null>>): Recorded => ({
  ...{ name: row.name ?? "", checksum: row.checksum ?? "", key: row.key ?? "" },
  lastKey: row.last_key == null ? undefined : JSON.parse(row.last_key),
  upperKey: row.upper_key == null ? undefined : JSON.parse(row.upper_key),
  ...{
    rows: Number(row.rows),
    walked: Number(row.walked),
    estimated: Number(row.estimated),
    batches: Number(row.batches),
  },
  startedAt: row.started_at ?? "",
  finishedAt: row.finished_at ?? undefined,
  error: row.error ?? undefined,
})

/** What a backfill begins with. */
interface Beginning {
  readonly file: Pick<BackfillFile, "name" | "checksum">
  readonly key: string
  readonly upperKey: KeyValues | undefined
  readonly estimated: number
}

/** Records that a backfill begins; of a table without rows, that it is finished. */
export async function recordBeginning(client: Client, schema: string, beginning: Beginning): Promise<void> {
  const { file, key, upperKey, estimated } = beginning
  const values = [schema, file.name, file.checksum, key].map(quoteLiteral).join(",")
  await client.query(
    `INSERT INTO ${table} (history,name,checksum,key,upper_key,estimated,finished_at) VALUES (${values},${array(upperKey)},${Math.round(estimated)},${
      upperKey === undefined ? "now()" : "NULL"
    }) ON CONFLICT (history,name) DO NOTHING`,
  )
}

/** Forgets backfills of a history: one, or all of them. */
export async function forgetProgress(
  client: Client,
  id: { readonly schema: string; readonly name?: string },
): Promise<void> {
  const { rows } = await client.query("SELECT FROM pg_catalog.pg_class WHERE oid = to_regclass($1)", [table])
  if (rows.length === 0) return
  const which = id.name === undefined ? `history=${quoteLiteral(id.schema)}` : isIt({ ...id, name: id.name })
  await client.query(`DELETE FROM ${table} WHERE ${which}`)
}

/** From now on the file as it is edited is the one that is under way. */
export async function recordEdit(client: Client, id: BackfillId, checksum: string): Promise<void> {
  await client.query(`UPDATE ${table} SET checksum=${quoteLiteral(checksum)} WHERE ${isIt(id)}`)
}

/** In the place of a checksum: the schema was restored, and whether its rows are those that the progress is of, a person knows. */
export const restored = "restored"

/** Clocks of two machines. */
const margin = "interval '1 hour'"

/**
 * After a schema was restored alone, whose backup does not hold the progress: what was not finished long before the backup
 * was taken is no longer known. `takenAt`: ISO 8601. Resolves to the names of those backfills.
 */
export async function reopenProgress(client: Client, schema: string, takenAt: string): Promise<readonly string[]> {
  const { rows: found } = await client.query("SELECT FROM pg_catalog.pg_class WHERE oid = to_regclass($1)", [table])
  if (found.length === 0) return []
  const { rows } = await client.query<{ name: string }>(
    `UPDATE ${table} SET finished_at=NULL,checksum='${restored}',updated_at=now() WHERE history=${quoteLiteral(schema)} ` +
      `AND (finished_at IS NULL OR finished_at > ${quoteLiteral(takenAt)}::timestamptz - ${margin}) RETURNING name`,
  )
  return rows.map(({ name }) => name)
}

/** Records why a backfill stopped. */
export async function recordError(client: Client, id: BackfillId, message: string): Promise<void> {
  await client.query(`UPDATE ${table} SET error=${quoteLiteral(message)},updated_at=now() WHERE ${isIt(id)}`)
}

const firstKey = 72707370

/** The lock of a backfill, which no other takes: one process runs it at a time, and deploys may go on meanwhile. */
export function backfillLock({ schema, name }: BackfillId): AdvisoryLock {
  const second = Buffer.from(checksumOf(`${schema}\0${name}`).slice(0, 8), "hex")
  return {
    key: `${firstKey},${second.readInt32BE()}`,
    isHeld: `locktype='advisory' AND classid=${firstKey} AND objid=${second.readUInt32BE()} AND objsubid=2 AND granted`,
  }
}

/** The text of a cast that fails, which PostgreSQL quotes whatever its language. */
const lostPlace = "lockstep: another process has taken the place of this one"

/** Whether an error is that of a check below. */
export const isLostPlace = (error: unknown): boolean =>
  error instanceof DatabaseError && error.code === "22P02" && error.message.includes(lostPlace)

/** A batch's place: whose it is, the server process that has the lock, and the last key that it continues from. */
export interface BatchPlace extends BackfillId {
  readonly pid: number
  readonly after: KeyValues | undefined
}

const isAt = (place: BatchPlace): string =>
  `${isIt(place)} AND last_key IS NOT DISTINCT FROM ${array(place.after)} AND finished_at IS NULL`

/**
 * SQL that locks the row of progress until the batch's transaction ends, and fails unless this session still has the lock
 * and the row is where the batch continues from. Whatever became of the lock, so no other batch does the same rows.
 */
export const claimBatch = (place: BatchPlace): string =>
  `WITH mine AS (SELECT 1 FROM ${table} WHERE ${isAt(place)} FOR UPDATE) SELECT CASE WHEN EXISTS (SELECT FROM mine) ` +
  `AND EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid=${place.pid} AND pid=pg_catalog.pg_backend_pid() AND ${backfillLock(place).isHeld}) ` +
  `THEN '1' ELSE '${lostPlace}' END::int`

/** What a batch has done. */
export interface BatchDone {
  readonly upTo: KeyValues
  readonly rows: number
  readonly walked: number
  readonly isLast: boolean
}

/** SQL that records a batch in its own transaction. */
export const recordBatch = (place: BatchPlace, { upTo, rows, walked, isLast }: BatchDone): string =>
  `WITH mine AS (UPDATE ${table} SET last_key=${array(upTo)},rows=rows+${rows},walked=walked+${walked},batches=batches+1,` +
  `updated_at=pg_catalog.clock_timestamp(),error=NULL${isLast ? ",finished_at=pg_catalog.clock_timestamp()" : ""} ` +
  `WHERE ${isAt(place)} RETURNING 1) SELECT CASE WHEN EXISTS (SELECT FROM mine) AND pg_catalog.pg_backend_pid()=${place.pid} THEN '1' ELSE '${lostPlace}' END::int`
