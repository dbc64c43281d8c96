import { defineCheck } from "../check.js"
import { base, example, inShort, orders, problemAt, touched } from "../lock/statements.js"

/** No data is gone without somebody having said why. */
export const loss = defineCheck({
  id: "data/loss",
  title: "a migration destroys data",
  why: "What is dropped, deleted or truncated comes back from a backup alone. An exception in the file says why it may go.",
  level: "error",
  needs: ["plan"],
  covers: ["ban-drop-column", "ban-drop-table", "ban-truncate-cascade"],
  examples: {
    fails: example({ ...base, ...orders(18_000_000) }, 'ALTER TABLE "Order" DROP COLUMN "legacy";\n'),
    passes: example(
      { ...base, ...orders(18_000_000) },
      '-- lockstep-ignore data/loss: empty since release 41, which stopped writing it\nALTER TABLE "Order" DROP COLUMN "legacy";\n',
    ),
  },
  // Little data is data as well; only a table that is known to be empty has none.
  run: async ({ plan }) =>
    touched(plan, { known: {}, rows: 1, bytes: Number.POSITIVE_INFINITY })
      .filter(({ work }) => work.destroys.length > 0)
      .map((one) => ({
        ...problemAt(one, `${inShort(one.statement)} destroys ${one.work.destroys.join(", ")}.`),
        atMost: undefined,
        next: "if it may go, say why before the statement: -- lockstep-ignore data/loss: the reason",
      })),
})
