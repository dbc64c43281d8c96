import { relative } from "node:path"
import type { FolderMigration } from "../../history/folder.js"
import { classify, runsAlone } from "../../sql/classify.js"
import { parseScript, type Script } from "../../sql/parse.js"
import { defineCheck, type Problem } from "../check.js"
import { partsOf, split } from "./parts.js"

const init = 'CREATE TABLE "Order" ("id" int PRIMARY KEY, "total" int);\n'
const column = 'ALTER TABLE "Order" ADD COLUMN "note" text;\n'
const index = 'CREATE INDEX CONCURRENTLY "Order_total" ON "Order" ("total");\n'

/** What can be undone by a rollback and what cannot are in different files. */
export const mixed = defineCheck({
  id: "history/mixed",
  title: "a migration mixes statements that can and that cannot run in a transaction",
  why: "One statement that cannot run in a transaction takes the transaction from the whole file: when a later one fails, the earlier ones stay applied, and the migration is half done.",
  level: "error",
  needs: ["changes", "folder"],
  fixes: "splits the file, so that the transactional statements have migrations of their own",
  examples: {
    fails: { base: { "20260101000000_init": init }, branch: { "20260102000000_note": column + index } },
    passes: {
      base: { "20260101000000_init": init },
      branch: { "20260102000000_note": column, "20260102000001_total_index": index },
    },
  },
  run: async ({ changes, folder }) => {
    const names = folder.migrations.map(({ name }) => name)
    const problems: Problem[] = []
    for (const found of changes.migrations) {
      const migration = { ...found, text: found.text.replace(/^\uFEFF/, "") }
      const script = await parseScript(migration.text)
      if (script.kind === "script") problems.push(...problemsOf(migration, script, names))
    }
    return problems
  },
})

function problemsOf(migration: FolderMigration, script: Script, names: readonly string[]): readonly Problem[] {
  const found = classify(script)
  if (found.class !== "non-transactional") return []
  const { statement: at, why } = found.reason
  const others = script.statements.filter((one) => one.index !== at && !runsAlone(one)).length
  if (others === 0) return []
  const parts = partsOf(migration, script, names)
  const { line, column } = script.statements[at] ?? { line: 1, column: 1 }
  return [
    {
      message: `${migration.name} is applied without a transaction, because ${why}; ${others} other statement${others === 1 ? " needs" : "s need"} one.`,
      file: relative(process.cwd(), migration.path),
      ...{ line, column },
      object: migration.name,
      next: parts.length > 0 ? "`lockstep check history/mixed --fix`" : "move them into migrations of their own",
      fix: parts.length > 0 ? () => split(migration, parts) : undefined,
    },
  ]
}
