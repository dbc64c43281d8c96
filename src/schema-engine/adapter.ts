import { setTimeout as wait } from "node:timers/promises"
import {
  type ColumnType,
  ColumnTypeEnum,
  DriverAdapterError,
  type IsolationLevel,
  type SqlDriverAdapter,
  type SqlQuery,
  type SqlQueryable,
  type SqlResultSet,
  type Transaction,
} from "@prisma/driver-adapter-utils"
import pg, { DatabaseError, type QueryArrayResult } from "pg"
import { lockKey, pollForLock, releaseLock } from "../history/lock.js"
import type { Client } from "../postgres/connect.js"
import { runScript, type Session } from "../scratch/script.js"

const info = { provider: "postgres", adapterName: "lockstep" } as const

/** A connection of the engine. */
export interface Connection extends Session {
  /** Replaces the engine's own way to take the migration lock. */
  readonly takeLock?: TakeLock
  /** Called when the engine does not need it any more. */
  readonly release: () => Promise<void>
}

/** A connection as the engine's adapter. */
export function adapterOver(connection: Connection): SqlDriverAdapter {
  return {
    ...queryable(connection),
    queryRaw: (query) =>
      reported(readsCatalog.test(query.sql) ? selectByHash(connection, query) : select(connection, query)),
    // Its errors go through the registry as they are: the engine's own message would say less.
    executeScript: (script) => runScript(connection, script),
    startTransaction: (level) => reported(begin(connection, level)),
    getConnectionInfo: () => ({ schemaName: connection.schema, supportsRelationJoins: true }),
    dispose: connection.release,
  }
}

function queryable(connection: Connection): SqlQueryable {
  return {
    ...info,
    queryRaw: (query) => reported(select(connection, query)),
    executeRaw: (query) => reported(run(connection, query)).then(({ rowCount }) => rowCount ?? 0),
  }
}

/** The engine's longest queries: a schema's columns and its indexes. */
const readsCatalog = /\binformation_schema\.columns\b|\bpg_index\b/

/**
 * PostgreSQL takes a schema for one table, and reads all constraints once for each index of it; `migrate` waits a sixth
 * of its time for that. The setting ends with a transaction: behind a pooler the session may be another one afterwards.
 */
async function selectByHash(connection: Connection, query: SqlQuery): Promise<SqlResultSet> {
  const { client } = connection
  await client.query("BEGIN; SET LOCAL enable_nestloop TO off")
  return await select(connection, query).finally(() => client.query("COMMIT").catch(() => undefined))
}

async function begin(connection: Connection, level: IsolationLevel | undefined): Promise<Transaction> {
  const { client } = connection
  await client.query(level ? `BEGIN ISOLATION LEVEL ${level}` : "BEGIN")
  const end = (sql: string) => () => reported(client.query(sql)).then(() => undefined)
  return {
    ...queryable(connection),
    options: { usePhantomQuery: false },
    commit: end("COMMIT"),
    rollback: end("ROLLBACK"),
  }
}

async function select(connection: Connection, query: SqlQuery): Promise<SqlResultSet> {
  const { fields, rows } = await run(connection, query)
  const columns = fields.map((field) => columnOf(field.dataTypeID))
  return {
    columnNames: fields.map((field) => field.name),
    columnTypes: columns.map((column) => column.type),
    rows: rows.map((row) => row.map((value, at) => (value === null ? null : (columns[at]?.read(value) ?? value)))),
  }
}

async function run({ client, takeLock }: Connection, query: SqlQuery): Promise<QueryArrayResult<(string | null)[]>> {
  if (takeLock !== undefined && takesLock.test(query.sql)) {
    await takeLock(client)
    return await client.query({ text: "SELECT NULL", rowMode: "array" })
  }
  const values = query.args.map((value, at) =>
    query.argTypes[at]?.scalarType === "bytes" && typeof value === "string" ? Buffer.from(value, "base64") : value,
  )
  return await client.query({ text: query.sql, values, rowMode: "array" })
}

async function reported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    throw adapterError(cause)
  }
}

/**
 * The server's error in the engine's shape: always `postgres` with its SQLSTATE, because that is how the engine
 * recognises a missing history table (42P01), a lost race and the like. Anything else is passed on as it is.
 */
function adapterError(cause: unknown): unknown {
  if (!(cause instanceof DatabaseError)) return cause
  return new DriverAdapterError({
    kind: "postgres",
    code: cause.code ?? "XX000",
    severity: cause.severity ?? "ERROR",
    message: cause.message,
    detail: cause.detail,
    column: cause.column,
    hint: cause.hint,
    ...(cause.code ? { originalCode: cause.code } : {}),
    originalMessage: cause.message,
  })
}

/** A column in the engine's terms: its type, and how its values are read from PostgreSQL's text. */
export interface Column {
  readonly type: ColumnType
  readonly read: (text: string) => unknown
}

const asText = (text: string): unknown => text
const asNumber = (text: string): unknown => Number(text)
const asBytes = (text: string): unknown => [...Buffer.from(text.slice(2), "hex")]

/** ISO 8601 with an offset: `2026-01-01 10:00:00.5+02` becomes `2026-01-01T10:00:00.5+02:00`. */
const asTimestamp = (text: string): unknown => {
  const [, day, time, offset = "+00"] = /^(\S+) ([\d:.]+)([+-][\d:]+)?$/.exec(text) ?? []
  if (!day || !time) return text
  return `${day}T${time}${offset.length === 3 ? `${offset}:00` : offset.slice(0, 6)}`
}

const { Boolean: Bool, Bytes, Character, Date: Day, DateTime, Double, Float, Int32, Int64 } = ColumnTypeEnum
const { Json, Numeric, Text, Time, Uuid } = ColumnTypeEnum

/** By type OID, from PostgreSQL's pg_type.dat. */
const scalars = new Map<number, Column>([
  [16, { type: Bool, read: (text) => text === "t" }],
  [17, { type: Bytes, read: asBytes }],
  [18, { type: Character, read: asText }],
  [20, { type: Int64, read: asText }],
  [21, { type: Int32, read: asNumber }],
  [23, { type: Int32, read: asNumber }],
  [26, { type: Int64, read: asText }],
  [114, { type: Json, read: asText }],
  [700, { type: Float, read: asNumber }],
  [701, { type: Double, read: asNumber }],
  [1082, { type: Day, read: asText }],
  [1083, { type: Time, read: asText }],
  [1114, { type: DateTime, read: asTimestamp }],
  [1184, { type: DateTime, read: asTimestamp }],
  [1266, { type: Time, read: asText }],
  [1700, { type: Numeric, read: asText }],
  [2950, { type: Uuid, read: asText }],
  [3802, { type: Json, read: asText }],
])

/** Array type OID, its element's OID, and the engine's type. */
const arrays: readonly (readonly [array: number, element: number, type: ColumnType])[] = [
  [1000, 16, ColumnTypeEnum.BooleanArray],
  [1001, 17, ColumnTypeEnum.BytesArray],
  [1002, 18, ColumnTypeEnum.CharacterArray],
  [1003, 19, ColumnTypeEnum.TextArray],
  [1005, 21, ColumnTypeEnum.Int32Array],
  [1007, 23, ColumnTypeEnum.Int32Array],
  [1009, 25, ColumnTypeEnum.TextArray],
  [1014, 1042, ColumnTypeEnum.TextArray],
  [1015, 1043, ColumnTypeEnum.TextArray],
  [1016, 20, ColumnTypeEnum.Int64Array],
  [1021, 700, ColumnTypeEnum.FloatArray],
  [1022, 701, ColumnTypeEnum.DoubleArray],
  [1028, 26, ColumnTypeEnum.Int64Array],
  [1115, 1114, ColumnTypeEnum.DateTimeArray],
  [1182, 1082, ColumnTypeEnum.DateArray],
  [1183, 1083, ColumnTypeEnum.TimeArray],
  [1185, 1184, ColumnTypeEnum.DateTimeArray],
  [1231, 1700, ColumnTypeEnum.NumericArray],
  [199, 114, ColumnTypeEnum.JsonArray],
  [2951, 2950, ColumnTypeEnum.UuidArray],
  [3807, 3802, ColumnTypeEnum.JsonArray],
]
const arrayTypes = new Map(arrays.map(([array, element, type]) => [array, { element, type }]))
const textArray: number = 1009
const asTextArray = pg.types.getTypeParser(textArray, "text")

/** The column of a type's OID. A type that the engine does not know (an enum, an extension's type) is text. */
export function columnOf(oid: number): Column {
  const array = arrayTypes.get(oid)
  if (!array) return scalars.get(oid) ?? { type: Text, read: asText }
  const { read } = columnOf(array.element)
  const elements = (text: string): readonly (string | null)[] => asTextArray(text)
  return { type: array.type, read: (text) => elements(text).map((value) => (value === null ? null : read(value))) }
}

/** Takes Prisma's migration lock on a connection. */
export type TakeLock = (client: Client) => Promise<unknown>

/** The statement with which the engine takes the migration lock. */
export const takesLock = new RegExp(`^\\s*SELECT pg_advisory_lock\\(${lockKey}\\)\\s*$`)

/** Waits as long as it takes, as the engine does. */
export const waitForLock: TakeLock = (client) => pollForLock(client, (ms) => wait(ms))

/**
 * Does work under the lock, which is taken on the connection that does the work: a statement that outlives its client
 * then still holds it.
 */
export async function underLock<T>(client: Client, takeLock: TakeLock, work: () => Promise<T>): Promise<T> {
  await takeLock(client)
  return await work().finally(() => releaseLock(client))
}
