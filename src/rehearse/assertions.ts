import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"

/** A query that must return no rows. */
export interface Assertion {
  readonly name: string
  /** For people: the file's path from where they are. */
  readonly file: string
  readonly sql: string
}

/** What came of an assertion at one moment. */
export interface AssertionResult {
  readonly name: string
  readonly file: string
  readonly when: "before" | "after"
  /** How many rows it returned; undefined where the query failed. */
  readonly rows: number | undefined
  /** Why the query failed. */
  readonly error: string | undefined
}

/** The *.sql files of a folder, in order; none where there is no such folder. */
export function readAssertions(folder: string): readonly Assertion[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter((name) => name.endsWith(".sql"))
  return names.sort().map((name) => {
    const path = join(folder, name)
    return { name: name.replace(/\.sql$/, ""), file: relative(process.cwd(), path), sql: readFileSync(path, "utf8") }
  })
}

/** Runs assertions, read-only and one after the other. What they return is counted, not kept. */
export async function runAssertions(
  client: Client,
  assertions: readonly Assertion[],
  when: AssertionResult["when"],
): Promise<readonly AssertionResult[]> {
  const results: AssertionResult[] = []
  for (const { name, file, sql } of assertions) {
    await client.query("BEGIN READ ONLY")
    const result = await client.query(sql).catch((error: unknown) => error)
    await client.query("ROLLBACK")
    if (result instanceof DatabaseError) results.push({ name, file, when, rows: undefined, error: result.message })
    else if (result instanceof Error) throw result
    else if (Array.isArray(result)) throw several(file)
    else results.push({ name, file, when, rows: rowsOf(result), error: undefined })
  }
  return results
}

const rowsOf = (result: unknown): number =>
  typeof result === "object" && result !== null && "rows" in result && Array.isArray(result.rows)
    ? result.rows.length
    : 0

const several = (file: string): LockstepError =>
  new LockstepError("L1802", "an assertion is one query", { file, next: "split the file: one query each" })
