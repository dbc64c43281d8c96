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
import { pollForLock, takesLock } from "./lock.js"
import { runScript } from "./script.js"
import { columnOf } from "./values.js"

const info = { provider: "postgres", adapterName: "lockstep" } as const

/** One connection as the engine's adapter. `schema` is the URL's; `release` runs when the engine has done with it. */
export function adapterOver(client: Client, schema: string, release: () => Promise<void>): SqlDriverAdapter {
  return {
    ...queryable(client),
    // Its errors go as they are, through the registry: the engine would put them into vaguer words.
    executeScript: (script) => runScript(client, schema, script),
    startTransaction: (level) => reported(begin(client, level)),
    getConnectionInfo: () => ({ schemaName: schema, supportsRelationJoins: true }),
    dispose: release,
  }
}

function queryable(client: Client): SqlQueryable {
  return {
    ...info,
    queryRaw: (query) => reported(select(client, query)),
    executeRaw: (query) => reported(run(client, query)).then(({ rowCount }) => rowCount ?? 0),
  }
}

async function begin(client: Client, level: IsolationLevel | undefined): Promise<Transaction> {
  await client.query(level ? `BEGIN ISOLATION LEVEL ${level}` : "BEGIN")
  const end = (sql: string) => () => reported(client.query(sql)).then(() => undefined)
  return { ...queryable(client), options: { usePhantomQuery: false }, commit: end("COMMIT"), rollback: end("ROLLBACK") }
}

async function select(client: Client, query: SqlQuery): Promise<SqlResultSet> {
  const { fields, rows } = await run(client, query)
  const columns = fields.map((field) => columnOf(field.dataTypeID))
  return {
    columnNames: fields.map((field) => field.name),
    columnTypes: columns.map((column) => column.type),
    rows: rows.map((row) => row.map((value, at) => (value === null ? null : (columns[at]?.read(value) ?? value)))),
  }
}

async function run(client: Client, query: SqlQuery): Promise<QueryArrayResult<(string | null)[]>> {
  if (takesLock.test(query.sql)) {
    await pollForLock(client)
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
