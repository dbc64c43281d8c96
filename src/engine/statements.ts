import { parse } from "libpg-query"

/** A script's statements, by PostgreSQL's own parser (its positions are in bytes). */
export async function splitStatements(script: string): Promise<readonly string[]> {
  const bytes = Buffer.from(script)
  const { stmts = [] } = await parse(script)
  return stmts.map(({ stmt_location: start = 0, stmt_len: length }) =>
    bytes.subarray(start, length ? start + length : undefined).toString(),
  )
}
