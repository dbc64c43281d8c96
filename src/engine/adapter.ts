import type {
  IsolationLevel,
  SqlDriverAdapter,
  SqlQuery,
  SqlQueryable,
  SqlResultSet,
  Transaction,
} from "@prisma/driver-adapter-utils"
import type { QueryArrayResult } from "pg"
import type { Client } from "../postgres/connect.js"
import { adapterError } from "./adapter-error.js"
import { type TakeLock, takesLock } from "./lock.js"
import { runScript } from "./script.js"
import { columnOf } from "./values.js"

const info = { provider: "postgres", adapterName: "lockstep" } as const

/** A connection of the engine's. */
export interface Connection {
  readonly client: Client
  /** The URL's. */
  readonly schema: string
  /** Replaces the engine's own way to take the migration lock. */
  readonly takeLock?: TakeLock
  /** Runs when the engine has done with it. */
  readonly release: () => Promise<void>
}

/** A connection as the engine's adapter. */
export function adapterOver(connection: Connection): SqlDriverAdapter {
  const { client, schema, release } = connection
  return {
    ...queryable(connection),
    // Its errors go as they are, through the registry: the engine would put them into vaguer words.
    executeScript: (script) => runScript(client, schema, script),
    startTransaction: (level) => reported(begin(connection, level)),
    getConnectionInfo: () => ({ schemaName: schema, supportsRelationJoins: true }),
    dispose: release,
  }
}

function queryable(connection: Connection): SqlQueryable {
  return {
    ...info,
    queryRaw: (query) => reported(select(connection, query)),
    executeRaw: (query) => reported(run(connection, query)).then(({ rowCount }) => rowCount ?? 0),
  }
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
