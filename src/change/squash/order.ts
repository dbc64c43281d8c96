import type { Definition } from "../../postgres/dump/definitions.js"
import type { Session } from "../../scratch/script.js"

/** Statements in an order in which each finds what it needs, and those that PostgreSQL accepts in no order. */
export interface Ordered {
  readonly statements: readonly string[]
  readonly refused: readonly { readonly object: string; readonly sql: string; readonly reason: string }[]
}

/**
 * Runs statements on a scratch database, those that fail again after the others, until none is left or none succeeds:
 * PostgreSQL itself says what needs what.
 */
export async function runInOrder(session: Session, definitions: readonly Definition[]): Promise<Ordered> {
  const statements: string[] = []
  let left = definitions.map((one) => ({ ...one, reason: "" }))
  for (let before = -1; left.length > 0 && left.length !== before; ) {
    before = left.length
    const failed: typeof left = []
    for (const one of left) {
      const reason = await failureOf(session, one.sql)
      if (reason === undefined) statements.push(one.sql)
      else failed.push({ ...one, reason })
    }
    left = failed
  }
  return { statements, refused: left.map(({ object, sql, reason }) => ({ object, sql, reason })) }
}

async function failureOf({ client }: Session, sql: string): Promise<string | undefined> {
  try {
    await client.query(sql)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
