import type { Client } from "../postgres/connect.js"
import { runUnread } from "../postgres/counted.js"
import { quoteIdentifier } from "../postgres/sqlstate.js"

/**
 * Runs a script: whole, or statement by statement where one cannot share the implicit transaction with the others.
 * Afterwards the session is as before, whatever the script had set.
 */
export async function runScript(client: Client, schema: string, script: string): Promise<void> {
  for (const part of await parts(script)) await runUnread(client, part)
  await client.query(`RESET SESSION AUTHORIZATION; RESET ALL; ${searchPath(schema)}`)
}

/** The setting that makes unqualified names mean the URL's schema, as Prisma sets it. */
export function searchPath(schema: string): string {
  return `SET search_path TO ${quoteIdentifier(schema)}`
}

async function parts(script: string): Promise<readonly string[]> {
  const { classOf } = await import("../sql/classify.js")
  const found = await classOf(script)
  if ("kind" in found || found.class === "transactional") return [script]
  const { parseScript } = await import("../sql/parse.js")
  const parsed = await parseScript(script)
  return parsed.kind === "script" ? parsed.statements.map(({ text }) => text) : [script]
}
