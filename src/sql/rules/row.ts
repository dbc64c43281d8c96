import type { Rule } from "./rule.js"

const lock = "ROW EXCLUSIVE"
const on = "Order"

/** Statements that write rows. */
export const rowRules = {
  "update-all": {
    what: "UPDATE without WHERE",
    ...{ lock, on, page: "sql-update", rewrites: false, scans: true, cost: "writes every row" },
    why: "Every row is locked until the transaction ends, and is written as a new version, indexes included.",
    example: `UPDATE "Order" SET "note" = 'none'`,
    safer: "update in batches, each its own transaction",
  },
  "update-some": {
    what: "UPDATE ... WHERE",
    ...{ lock, on, page: "sql-update", rewrites: false, scans: "depends", cost: "writes the matching rows" },
    why: "The matching rows are locked until the transaction ends.",
    example: `UPDATE "Order" SET "note" = 'none' WHERE "id" = 1`,
  },
  "delete-all": {
    what: "DELETE without WHERE",
    ...{ lock, on: "Archive", page: "sql-delete", rewrites: false, scans: true, cost: "writes every row" },
    why: "Every row is marked as deleted, one by one.",
    example: `DELETE FROM "Archive"`,
  },
  "delete-some": {
    what: "DELETE ... WHERE",
    ...{ lock, on: "Archive", page: "sql-delete", rewrites: false, scans: "depends", cost: "writes the matching rows" },
    why: "The matching rows are locked until the transaction ends.",
    example: `DELETE FROM "Archive" WHERE "id" = 1`,
  },
  insert: {
    what: "INSERT, COPY FROM",
    ...{ lock, on: "Archive", page: "sql-insert", rewrites: false, scans: false, cost: "writes rows" },
    why: "Reads and writes of other rows continue.",
    example: `INSERT INTO "Archive" VALUES (1001, 'x')`,
  },
  merge: {
    what: "MERGE",
    ...{ lock, on: "Archive", page: "sql-merge", rewrites: false, scans: "depends", cost: "writes the matching rows" },
    why: "The matching rows are locked until the transaction ends.",
    since: 15,
    example: `MERGE INTO "Archive" USING "Order" ON "Archive"."id" = "Order"."id" WHEN MATCHED THEN DELETE`,
  },
  "select-for-update": {
    what: "SELECT ... FOR UPDATE, FOR SHARE",
    ...{
      lock: "ROW SHARE",
      on,
      page: "sql-select",
      rewrites: false,
      scans: "depends",
      cost: "writes the matching rows",
    },
    why: "The matching rows are locked until the transaction ends.",
    example: `SELECT "id" FROM "Order" WHERE "id" = 1 FOR UPDATE`,
  },
} as const satisfies Record<string, Rule>

/** Statements that maintain a table as a whole. */
export const maintenanceRules = {
  vacuum: {
    what: "VACUUM",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page: "sql-vacuum", rewrites: false, scans: "depends" },
    cost: "full scan, reads and writes continue",
    why: "Reads the pages that changed since the last one, and cleans up in place. Emptied pages at the end are given back under a short ACCESS EXCLUSIVE, if it is free.",
    example: `VACUUM "Order"`,
  },
  "vacuum-full": {
    what: "VACUUM FULL",
    ...{ lock: "ACCESS EXCLUSIVE", on, page: "sql-vacuum", rewrites: true, scans: true, cost: "rewrites the table" },
    why: "The table and its indexes are written anew while nobody can read or write.",
    example: `VACUUM FULL "Order"`,
  },
  analyze: {
    what: "ANALYZE",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page: "sql-analyze", rewrites: false, scans: false },
    cost: "full scan, reads and writes continue",
    why: "Reads a sample of the rows.",
    example: `ANALYZE "Order"`,
  },
  cluster: {
    what: "CLUSTER",
    ...{ lock: "ACCESS EXCLUSIVE", on, page: "sql-cluster", rewrites: true, scans: true, cost: "rewrites the table" },
    why: "The table and its indexes are written anew while nobody can read or write.",
    example: `CLUSTER "Order" USING "Order_note_idx"`,
  },
  "refresh-materialized-view": {
    what: "REFRESH MATERIALIZED VIEW",
    ...{ lock: "ACCESS EXCLUSIVE", on: "Sales", page: "sql-refreshmaterializedview", rewrites: true, scans: true },
    cost: "runs its query",
    why: "The view cannot be read until its query is done.",
    example: `REFRESH MATERIALIZED VIEW "Sales"`,
    safer: "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index",
  },
  "refresh-materialized-view-concurrently": {
    what: "REFRESH MATERIALIZED VIEW CONCURRENTLY",
    ...{ lock: "EXCLUSIVE", on: "Sales", page: "sql-refreshmaterializedview", rewrites: false, scans: true },
    cost: "runs its query",
    why: "The view can be read meanwhile; the differences are then written row by row.",
    example: `REFRESH MATERIALIZED VIEW CONCURRENTLY "Sales"`,
  },
} as const satisfies Record<string, Rule>
