import { connect, connectToServer } from "../../postgres/connect.js"
import { runUnread } from "../../postgres/counted.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import { sqlstateOf } from "../../postgres/sqlstate.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { searchPath } from "../../scratch/script.js"

/** Errors: L12xx the database cannot be reached. */
export async function canConnect(text: string): Promise<string> {
  const client = await connect(parseDatabaseUrl(text))
  await client.end()
  return "Connection successful"
}

/** Creates the database, and the URL's schema in it; another process may have been first. Answers its name. */
export async function createDatabase(text: string): Promise<string> {
  const url = parseDatabaseUrl(text)
  const server = await connectToServer(url)
  try {
    await server.query(`CREATE DATABASE ${quoteIdentifier(url.database)}`).catch((error: unknown) => {
      if (!["42P04", "23505"].includes(sqlstateOf(error) ?? "")) throw error
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

/** Runs a script as one message, in the URL's schema. */
export async function execute(text: string, script: string): Promise<void> {
  const url = parseDatabaseUrl(text)
  const client = await connect(url)
  try {
    await client.query(searchPath(url.schema))
    await runUnread(client, script)
  } finally {
    await client.end()
  }
}
