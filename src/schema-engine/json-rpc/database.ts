import { DatabaseError } from "pg"
import { type Client, connect, connectToServer } from "../../postgres/connect.js"
import { runUnread } from "../../postgres/counted.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { searchPath } from "../../scratch/script.js"
import { EngineRefusal, serverMessage } from "../engine-error.js"
import { existingDatabase, missingDatabase } from "./failure.js"

/** Errors: L12xx the database cannot be reached. */
export async function canConnect(text: string): Promise<string> {
  const client = await connect(parseDatabaseUrl(text))
  await client.end()
  return "Connection successful"
}

/**
 * Creates the database, and the URL's schema in it. Answers its name.
 * Errors: P1009 it exists, where it must not; L12xx the server cannot be reached.
 */
export async function createDatabase(text: string, existing: "may exist" | "must not exist"): Promise<string> {
  const url = parseDatabaseUrl(text)
  const server = await connectToServer(url)
  try {
    await server.query(`CREATE DATABASE ${quoteIdentifier(url.database)}`).catch((cause: unknown) => {
      if (!["42P04", "23505"].includes(sqlstateOf(cause) ?? "")) throw cause
      if (existing === "may exist") return
      throw new EngineRefusal(existingDatabase(url.database), { code: "P1009", cause })
    })
  } finally {
    await server.end()
  }
  const client = await connect(url)
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(url.schema)}`)
  } finally {
    await client.end()
  }
  return url.database
}

/** Drops the database. */
export async function dropDatabase(text: string): Promise<void> {
  const url = parseDatabaseUrl(text)
  const server = await connectToServer(url)
  try {
    await server.query(`DROP DATABASE ${quoteIdentifier(url.database)}`)
  } finally {
    await server.end()
  }
}

/**
 * Runs a script as one message, in the URL's schema. Errors: L12xx no connection; the server's own as Prisma's engine
 * reports them, P1003 where a statement names a database that does not exist.
 */
export async function execute(text: string, script: string): Promise<void> {
  const url = parseDatabaseUrl(text)
  const client = await connect(url)
  try {
    await client.query(searchPath(url.schema))
    await runUnread(client, script)
  } catch (cause) {
    throw cause instanceof DatabaseError ? await refusedBy(cause, client, script) : cause
  } finally {
    await client.end()
  }
}

const noSuchDatabase = "3D000"

async function refusedBy(cause: DatabaseError, client: Client, script: string): Promise<EngineRefusal> {
  const name = cause.code === noSuchDatabase ? await missingIn(client, script) : undefined
  if (name !== undefined) return new EngineRefusal(missingDatabase(name), { code: "P1003", cause })
  // The engine ends such a message with a line of its own, which is empty outside of its development.
  return new EngineRefusal(`${serverMessage(cause)}\n`, { cause })
}

/** The first database that a script would drop or alter, and that the server does not have. */
async function missingIn(client: Client, script: string): Promise<string | undefined> {
  const [{ parseScript }, { find }] = await Promise.all([import("../../sql/parse.js"), import("../../sql/tree.js")])
  const parsed = await parseScript(script)
  if (parsed.kind !== "script") return undefined
  const named = parsed.statements.flatMap(({ node }) => [
    ...find(node, "DropdbStmt"),
    ...find(node, "AlterDatabaseStmt"),
    ...find(node, "AlterDatabaseSetStmt"),
  ])
  await client.query("ROLLBACK")
  const { rows } = await client.query<{ name: string }>("SELECT datname AS name FROM pg_database")
  const existing = new Set(rows.map(({ name }) => name))
  return named.find(({ dbname = "" }) => !existing.has(dbname))?.dbname
}
