import { relative } from "node:path"
import { parseScript } from "../../sql/parse.js"
import { defineCheck, type Problem } from "../check.js"

const init = 'CREATE TABLE "Order" ("id" int PRIMARY KEY);\n'

/** A new migration does something. */
export const empty = defineCheck({
  id: "history/empty",
  title: "a migration has no statement",
  why: "It is recorded as applied for good and changes nothing. Most often its SQL was not saved, or was moved elsewhere.",
  level: "error",
  needs: ["changes"],
  examples: {
    fails: {
      base: { "20260101000000_init": init },
      branch: { "20260102000000_total": "-- TODO: the column total\n" },
    },
    passes: {
      base: { "20260101000000_init": init },
      branch: { "20260102000000_total": 'ALTER TABLE "Order" ADD COLUMN "total" int;\n' },
    },
  },
  run: async ({ changes }) => {
    const problems: Problem[] = []
    for (const { name, path, text } of changes.migrations) {
      const script = await parseScript(text.replace(/^\uFEFF/, ""))
      if (script.kind === "unparsed" || script.statements.length > 0) continue
      const message = `${name} has no statement.`
      const next = "write its SQL, or remove the folder"
      problems.push({ message, file: relative(process.cwd(), path), line: 1, object: name, next })
    }
    return problems
  },
})
