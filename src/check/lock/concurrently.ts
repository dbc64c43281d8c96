import { writeFile } from "node:fs/promises"
import { relative } from "node:path"
import type { FolderMigration } from "../../history/folder.js"
import { parseScript, type Statement } from "../../sql/parse.js"
import type { Problem } from "../check.js"
import { partsOf, split } from "../history/parts.js"

/**
 * Adds the correction to problems that a CREATE INDEX has: with CONCURRENTLY, in a migration of its own. PostgreSQL has no
 * such form on a partitioned table, for which the plan advises another one. `names`: of all migrations.
 */
export async function withConcurrentIndexes(
  problems: readonly Problem[],
  migrations: readonly FolderMigration[],
  names: readonly string[],
): Promise<readonly Problem[]> {
  const found = [...problems]
  for (const migration of migrations) {
    const file = relative(process.cwd(), migration.path)
    const mine = problems.filter((one) => one.file === file && one.next?.includes("CREATE INDEX CONCURRENTLY") === true)
    const lines = new Set(mine.filter(({ next }) => !next?.includes("ON ONLY")).map(({ line }) => line))
    const fix = lines.size > 0 ? await concurrently(migration, lines, names) : undefined
    if (fix === undefined) continue
    for (const [index, one] of found.entries()) {
      if (one.file !== file || !lines.has(one.line)) continue
      const next = `\`lockstep check lock/blocks-writers --fix\` (CREATE INDEX CONCURRENTLY, in a migration of its own)`
      found[index] = { ...one, next: one.atMost ? `${next}\n${one.next}` : next, fix }
    }
  }
  return found
}

/** The correction of all these lines of one file; undefined where the file cannot be split. */
async function concurrently(
  migration: FolderMigration,
  lines: ReadonlySet<number | undefined>,
  names: readonly string[],
) {
  const source = migration.text.replace(/^\uFEFF/, "")
  const script = await parseScript(source)
  if (script.kind === "unparsed") return undefined
  const chosen = script.statements.filter(({ node, line }) => "IndexStmt" in node && lines.has(line))
  const text = chosen.toReversed().reduce(rewritten, source)
  const changed = { ...migration, text }
  const again = await parseScript(text)
  if (again.kind === "unparsed" || chosen.length !== lines.size) return undefined
  const isAlone = again.statements.length === chosen.length
  const parts = isAlone ? [] : partsOf(changed, again, names)
  if (!isAlone && parts.length === 0) return undefined
  let begun = false
  return async (): Promise<readonly string[]> => {
    // The problems of one file share their correction.
    if (begun) return []
    begun = true
    await writeFile(migration.path, text)
    const done = `wrote CONCURRENTLY into ${migration.name}`
    return isAlone ? [done] : [done, ...(await split(changed, parts))]
  }
}

const rewritten = (source: string, { start, end, text }: Statement): string =>
  source.slice(0, start) + text.replace(/^(CREATE\s+(?:UNIQUE\s+)?INDEX)\b/i, "$1 CONCURRENTLY") + source.slice(end)
