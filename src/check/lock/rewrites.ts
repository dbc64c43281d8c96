import { defineCheck } from "../check.js"
import { base, example, inShort, orders, problemAt, touched } from "./statements.js"

/** No statement writes a large table anew. */
export const rewrites = defineCheck({
  id: "lock/rewrites",
  title: "a large table is rewritten",
  why: "The whole table and its indexes are written to new files, under a lock that keeps readers and writers out until the migration ends.",
  level: "error",
  needs: ["plan"],
  covers: ["changing-column-type", "adding-field-with-default", "adding-serial-primary-key-field"],
  examples: {
    fails: example({ ...base, ...orders(18_000_000) }, 'ALTER TABLE "Order" ALTER COLUMN "total" TYPE bigint;\n'),
    passes: example({ ...base, ...orders(40) }, 'ALTER TABLE "Order" ALTER COLUMN "total" TYPE bigint;\n'),
  },
  run: async ({ plan, options }) =>
    touched(plan, options)
      .filter(({ work }) => work.rewrites !== false)
      .map((one) =>
        problemAt(
          one,
          `${inShort(one.statement)} ${one.work.rewrites === true ? "rewrites" : "may rewrite"} ${one.text}; nobody reads or writes it until the migration ends.`,
        ),
      ),
})
