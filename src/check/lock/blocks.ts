import { writeFile } from "node:fs/promises"
import { relative } from "node:path"
import type { FolderMigration } from "../../history/folder.js"
import { parseScript, type Statement } from "../../sql/parse.js"
import { defineCheck, type Problem } from "../check.js"
import { partsOf, split } from "../history/parts.js"
import type { ChangesPlan } from "../plan.js"
import type { Options } from "../settings.js"
import { base, example, heldWhile, inShort, orders, problemAt, touched, waitsFor } from "./statements.js"

const large = { ...base, ...orders(18_000_000) }

/** Nobody who reads a large table waits long. */
export const blocksReaders = defineCheck({
  id: "lock/blocks-readers",
  title: "a large table cannot be read for long",
  why: "A lock lasts to the end of its transaction. ADD COLUMN is instant, but before a long UPDATE in the same migration it is a table that nobody reads until the UPDATE has ended. An index that is built under ACCESS EXCLUSIVE does the same.",
  level: "error",
  needs: ["plan"],
  covers: ["require-concurrent-index-deletion", "disallowed-unique-constraint", "require-concurrent-partition-detach"],
  examples: {
    fails: example(large, 'ALTER TABLE "Order" ADD COLUMN "net" int;\nUPDATE "Order" SET "net" = "total";\n'),
    passes: example(large, 'ALTER TABLE "Order" ADD COLUMN "net" int;\n'),
  },
  run: async ({ plan, options }) => blocking("readers", plan, options),
})

/** Nobody who writes a large table waits long. */
export const blocksWriters = defineCheck({
  id: "lock/blocks-writers",
  title: "a large table cannot be written for long",
  why: "CREATE INDEX keeps writers out until it is built. With CONCURRENTLY, in a migration of its own, nobody waits.",
  level: "error",
  needs: ["plan", "changes", "folder"],
  fixes: "writes CREATE INDEX CONCURRENTLY, in a migration of its own",
  covers: ["require-concurrent-index-creation", "require-concurrent-reindex"],
  examples: {
    fails: example(large, 'CREATE INDEX "Order_total" ON "Order" ("total");\n'),
    passes: example(large, 'CREATE INDEX CONCURRENTLY "Order_total" ON "Order" ("total");\n'),
  },
  run: async ({ plan, options, changes, folder }) => {
    const names = folder.migrations.map(({ name }) => name)
    return await withConcurrentIndexes(blocking("writers", plan, options), changes.migrations, names)
  },
})

/** What scans and rewrites is another check's finding. */
function blocking(who: "readers" | "writers", plan: ChangesPlan, options: Options): readonly Problem[] {
  const all = touched(plan, options)
  const out = who === "readers" ? "readers and writers" : "writers"
  const builds = all
    .filter(({ work }) => work.rewrites === false && work.costs.includes("builds an index under the lock"))
    .filter(({ work }) => waitsFor(work.lock) === who)
    .map((one) => problemAt(one, `${inShort(one.statement)} keeps ${out} out of ${one.text} while the index is built.`))
  const held = heldWhile(all, who).map(([one, later]) => ({
    ...problemAt(
      one,
      `${inShort(one.statement)} keeps ${out} out of ${one.text} until the migration ends, and line ${later.statement.line} takes long: ${inShort(later.statement)}`,
    ),
    next: `move line ${later.statement.line} to a migration of its own`,
  }))
  return [...builds, ...held]
}

/**
 * Adds the correction to problems that a CREATE INDEX has: with CONCURRENTLY, in a migration of its own. PostgreSQL has no
 * such form on a partitioned table, for which the plan advises another one. `names`: of all migrations.
 */
async function withConcurrentIndexes(
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
