import type { EventEmitter } from "node:events"
import type pg from "pg"
import type { Client } from "./connect.js"

interface Wire {
  readonly connection: EventEmitter
}

/** A result whose values are PostgreSQL's text. */
export type Result = pg.QueryResult<Record<string, string | null>>

/** The outcome of a script of several statements: what it gave, or the error and how many statements were done. */
export type Counted =
  | { readonly ok: true; readonly results: readonly Result[] }
  | { readonly ok: false; readonly error: unknown; readonly completed: number }

/**
 * Runs a script as one message and counts the statements that PostgreSQL reported as done, because an error without
 * a position (a violated constraint, a lock timeout) does not say which statement it comes from.
 * Source: PostgreSQL's documentation, 54.2.2.1 "Multiple Statements in a Simple Query".
 */
export async function runCounted(client: Client, sql: string): Promise<Counted> {
  let completed = 0
  const count = () => completed++
  const { connection } = client as Client & Wire
  connection.on("commandComplete", count)
  try {
    const result: unknown = await client.query(sql)
    return { ok: true, results: (Array.isArray(result) ? result : [result]) as readonly Result[] }
  } catch (error) {
    return { ok: false, error, completed }
  } finally {
    connection.off("commandComplete", count)
  }
}
