import { defineCheck } from "../check.js"
import { base, example, inShort, orders, problemAt, touched, waitsFor } from "./statements.js"

/** No statement reads all of a large table while others wait. */
export const scans = defineCheck({
  id: "lock/scans",
  title: "a large table is read as a whole under a lock",
  why: "NOT NULL, CHECK and FOREIGN KEY are checked on every row before they hold. Meanwhile the lock keeps writers out, or readers as well.",
  level: "error",
  needs: ["plan"],
  covers: ["adding-foreign-key-constraint", "constraint-missing-not-valid", "adding-not-nullable-field"],
  examples: {
    fails: example(
      { ...base, ...orders(18_000_000) },
      'ALTER TABLE "Order" ADD CONSTRAINT "positive" CHECK ("total" > 0);\n',
    ),
    passes: example(
      { ...base, ...orders(18_000_000) },
      'ALTER TABLE "Order" ADD CONSTRAINT "positive" CHECK ("total" > 0) NOT VALID;\n',
    ),
  },
  run: async ({ plan, options }) =>
    touched(plan, options)
      .filter(({ work }) => work.rewrites === false && work.costs.includes("full scan under the lock"))
      .map((one) => {
        const who = waitsFor(one.work.lock) === "readers" ? "readers and writers" : "writers"
        return problemAt(one, `${inShort(one.statement)} reads all of ${one.text} and keeps ${who} out meanwhile.`)
      }),
})
