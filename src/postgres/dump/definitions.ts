import type { Client } from "../connect.js"
import { quoteIdentifier } from "../quote.js"
import { privileges } from "./privileges.js"
import { afterRows, beforeRows } from "./tables.js"

/** A statement that makes an object of a database. */
export interface Definition {
  /** Whether it comes before the rows or after them. */
  readonly phase: "before rows" | "after rows"
  /** What it makes, for people: `table "Order"`. */
  readonly object: string
  /** Without a semicolon. */
  readonly sql: string
}

/**
 * The statements that make a database's objects, of all schemas but PostgreSQL's own, without the history table and
 * without what belongs to extensions. Those of a phase are in the usual order of their kinds; what one needs may still
 * come after it. Names in `schema` are written without it. It knows the kinds that migrations make; what it leaves out
 * is found by `describeWhole`.
 */
export async function readDefinitions(client: Client, schema: string): Promise<readonly Definition[]> {
  // So PostgreSQL itself leaves the schema's name out, in regclass literals as well.
  await client.query(`BEGIN READ ONLY; SET LOCAL search_path TO ${quoteIdentifier(schema)}`)
  try {
    const before = await read(client, beforeRows)
    const after = [...(await read(client, afterRows)), ...(await read(client, privileges))]
    return [
      ...before.map((one): Definition => ({ phase: "before rows", ...one })),
      ...after.map((one): Definition => ({ phase: "after rows", ...one })),
    ]
  } finally {
    await client.query("ROLLBACK")
  }
}

/** Selects of `object`, `sql` and `oid`, in the order of their kinds. */
export type Kinds = readonly string[]

async function read(
  client: Client,
  kinds: Kinds,
): Promise<readonly { readonly object: string; readonly sql: string }[]> {
  const parts = kinds.map(
    (select, kind) => `SELECT ${kind} AS kind, each.* FROM (${select}) AS each(object, sql, made)`,
  )
  const { rows } = await client.query<{ object: string; sql: string }>(
    `SELECT object, sql FROM (${parts.join("\nUNION ALL\n")}) AS every WHERE sql IS NOT NULL ORDER BY kind, made, object, sql`,
  )
  return rows
}
