import type { Example } from "../check.js"

/** A table as the base has it. */
export const base = {
  "20260101000000_init": 'CREATE TABLE "Order" ("id" int PRIMARY KEY, "total" int, "legacy" text);\n',
}

/** The committed statistics, in which the table has so many rows of 100 bytes. */
export const orders = (rows: number): Readonly<Record<string, string>> => ({
  "statistics.json": `${JSON.stringify({
    schema: "lockstep.stats/1",
    at: "2026-01-01T00:00:00.000Z",
    tables: [{ schema: "public", name: "Order", rows, bytes: rows * 100 }],
  })}\n`,
})

/** A branch with one migration. */
export const example = (base: Example["base"], sql: string): Example => ({
  base,
  branch: { "20260102000000_change": sql },
})
