import { defineCheck } from "../check.js"
import { base, example, inShort, orders, problemAt, touched } from "../lock/statements.js"

const sql = 'UPDATE "Order" SET "legacy" = NULL;\n'

/** No statement changes many rows of a large table at once. */
export const unbounded = defineCheck({
  id: "data/unbounded",
  title: "one statement changes the rows of a large table",
  why: "Every changed row stays locked until the statement ends, the table grows by as many dead rows, replicas fall behind, and a cancel loses all of the work. In batches nobody notices it.",
  level: "error",
  needs: ["plan"],
  examples: {
    fails: example({ ...base, ...orders(18_000_000) }, sql),
    passes: example({ ...base, ...orders(40) }, sql),
  },
  run: async ({ plan, options }) =>
    touched(plan, options)
      .filter(({ work }) => work.costs.includes("writes every row") || work.costs.includes("writes the matching rows"))
      .map((one) => ({
        ...problemAt(one, `${inShort(one.statement)} changes the rows of ${one.text} in one statement.`),
        next: "move it to a file of the folder backfills, which `lockstep backfill` runs in batches (docs/backfill.md)",
      })),
})
