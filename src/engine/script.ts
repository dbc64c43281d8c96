import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/sqlstate.js"

/** Statements that cannot share PostgreSQL's implicit transaction with others; a false alarm here costs only time. */
const alone =
  /\b(?:concurrently|vacuum|reindex|add\s+value|alter\s+system|(?:create|drop)\s+(?:database|tablespace))\b/i

/**
 * Runs a script: whole, or statement by statement where it may hold one that PostgreSQL refuses inside a transaction.
 * Afterwards the session is as before, whatever the script had set.
 */
export async function runScript(client: Client, schema: string, script: string): Promise<void> {
  if (alone.test(script)) {
    const { splitStatements } = await import("./statements.js")
    for (const statement of await splitStatements(script)) await client.query(statement)
  } else {
    await client.query(script)
  }
  await client.query(`RESET SESSION AUTHORIZATION; RESET ALL; ${searchPath(schema)}`)
}

/** The setting that makes unqualified names mean the URL's schema, as Prisma sets it. */
export function searchPath(schema: string): string {
  return `SET search_path TO ${quoteIdentifier(schema)}`
}
