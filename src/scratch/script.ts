import type { Client } from "../postgres/connect.js"
import { runUnread } from "../postgres/counted.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { sqlstateOf } from "../postgres/sqlstate.js"

/** A connection, and the PostgreSQL schema that unqualified names mean in it. */
export interface Session {
  readonly client: Client
  readonly schema: string
}

/**
 * Runs a script: whole, or statement by statement where one cannot share the implicit transaction with the others.
 * Afterwards the session's settings and role are as before, whatever the script has set.
 */
export async function runScript({ client, schema }: Session, script: string): Promise<void> {
  for (const part of await partsOf(script)) {
    await runUnread(client, part).catch(async (error: unknown) => {
      // Before PostgreSQL 17 an enum value cannot be used in the transaction that adds it to a type of its own.
      if (sqlstateOf(error) !== "55P04") throw error
      for (const statement of await statementsOf(part)) await runUnread(client, statement)
    })
  }
  await client.query(`RESET SESSION AUTHORIZATION; RESET ALL; ${searchPath(schema)}`)
}

/** The statement that makes unqualified names mean the URL's schema, as Prisma sets it. */
export function searchPath(schema: string): string {
  return `SET search_path TO ${quoteIdentifier(schema)}`
}

/** A command replays the same migrations several times, and to parse them takes as long as to run them. */
const known = new Map<string, Promise<readonly string[]>>()
const mostKnown = 5000

function partsOf(script: string): Promise<readonly string[]> {
  const found = known.get(script)
  if (found !== undefined) return found
  if (known.size >= mostKnown) known.clear()
  const parts = splitOf(script)
  known.set(script, parts)
  return parts
}

async function splitOf(script: string): Promise<readonly string[]> {
  const { classOf } = await import("../sql/classify.js")
  const found = await classOf(script)
  return "kind" in found || found.class === "transactional" ? [script] : await statementsOf(script)
}

async function statementsOf(script: string): Promise<readonly string[]> {
  const { parseScript } = await import("../sql/parse.js")
  const parsed = await parseScript(script)
  return parsed.kind === "script" ? parsed.statements.map(({ text }) => text) : [script]
}
