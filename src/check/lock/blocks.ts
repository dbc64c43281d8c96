import { defineCheck, type Problem } from "../check.js"
import type { ChangesPlan } from "../plan.js"
import type { Options } from "../settings.js"
import { withConcurrentIndexes } from "./concurrently.js"
import { base, example, orders } from "./example.js"
import { heldWhile, inShort, problemAt, touched, waitsFor } from "./statements.js"

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
