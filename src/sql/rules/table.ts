import type { Rule } from "./rule.js"

const lock = "ACCESS EXCLUSIVE"
const on = "Order"

/** Whole tables, created, emptied, dropped, locked. */
export const tableRules = {
  "create-table": {
    what: "CREATE TABLE",
    ...{ lock: "none", page: "sql-createtable", rewrites: false, scans: false, cost: "instant" },
    why: "Nobody else sees the table yet.",
    example: `CREATE TABLE "Refund" ("id" int PRIMARY KEY, "amount" numeric)`,
  },
  "create-table-as": {
    what: "CREATE TABLE AS, SELECT INTO, CREATE MATERIALIZED VIEW",
    ...{ lock: "none", page: "sql-createtableas", rewrites: false, scans: true, cost: "runs its query" },
    why: "Takes as long as its query; the tables that it reads stay open for reads and writes.",
    example: `CREATE TABLE "Copy" AS SELECT * FROM "Order"`,
  },
  "create-partition": {
    what: "CREATE TABLE ... PARTITION OF: the partitioned table",
    ...{ lock, on: "Event", page: "sql-createtable", rewrites: false, scans: false, cost: "instant" },
    why: "A default partition is locked and scanned as well.",
    example: `CREATE TABLE "Event_2027" PARTITION OF "Event" FOR VALUES FROM (2027) TO (2028)`,
    safer: "CREATE TABLE ... (LIKE {table} INCLUDING ALL), then ATTACH PARTITION",
  },
  "create-child": {
    what: "CREATE TABLE ... INHERITS: the parent",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Parent", page: "sql-createtable" },
    ...{ rewrites: false, scans: false, cost: "instant" },
    why: "Reads and writes of the parent continue.",
    example: `CREATE TABLE "Second" () INHERITS ("Parent")`,
  },
  "drop-table": {
    what: "DROP TABLE",
    ...{ lock, on: "Archive", page: "sql-droptable", rewrites: false, scans: false, cost: "instant" },
    why: "The rows are gone. Its foreign keys go with it, which locks the tables that they reference.",
    example: `DROP TABLE "Archive"`,
    safer: "deploy code that no longer uses {table} first",
  },
  truncate: {
    what: "TRUNCATE",
    ...{ lock, on: "Archive", page: "sql-truncate", rewrites: false, scans: false, cost: "instant" },
    why: "The table gets a new, empty file. CASCADE empties the tables that reference it as well.",
    example: `TRUNCATE "Archive"`,
  },
  "lock-table": {
    what: "LOCK TABLE",
    ...{ lock, on, page: "sql-lock", rewrites: false, scans: false, cost: "instant" },
    why: "The mode that it names, this one where it names none, until the transaction ends.",
    example: `LOCK TABLE "Order"`,
  },
} as const satisfies Record<string, Rule>

/** Indexes. */
export const indexRules = {
  "create-index": {
    what: "CREATE INDEX",
    ...{ lock: "SHARE", on: "Order", page: "sql-createindex", rewrites: false, scans: true },
    cost: "builds an index under the lock",
    why: "The table, and its partitions where it has some, can be read but not written while the index is built.",
    example: `CREATE INDEX "Order_total_idx" ON "Order" ("total")`,
    safer: "CREATE INDEX CONCURRENTLY, alone in its own migration",
  },
  "create-index-concurrently": {
    what: "CREATE INDEX CONCURRENTLY",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Order", page: "sql-createindex", rewrites: false, scans: true },
    cost: "builds an index, reads and writes continue",
    why: "Two scans, and a wait for every older transaction. A failure leaves an INVALID index behind.",
    example: `CREATE INDEX CONCURRENTLY "Order_total_idx" ON "Order" ("total")`,
  },
  "drop-index": {
    what: "DROP INDEX",
    ...{ lock: "ACCESS EXCLUSIVE", on: "Order_note_idx", page: "sql-dropindex", rewrites: false, scans: false },
    cost: "instant",
    why: "The index's table is locked in the same mode.",
    example: `DROP INDEX "Order_note_idx"`,
    safer: "DROP INDEX CONCURRENTLY, alone in its own migration",
  },
  "drop-index-concurrently": {
    what: "DROP INDEX CONCURRENTLY",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Order_note_idx", page: "sql-dropindex", rewrites: false, scans: false },
    cost: "waits for older transactions",
    why: "Of the index's table; the index itself is locked ACCESS EXCLUSIVE once nobody uses it any more.",
    example: `DROP INDEX CONCURRENTLY "Order_note_idx"`,
  },
  "alter-index": {
    what: "ALTER INDEX RENAME or SET (...)",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Order_note_idx", page: "sql-alterindex", rewrites: false, scans: false },
    cost: "instant",
    why: "Reads and writes of the table continue.",
    example: `ALTER INDEX "Order_note_idx" RENAME TO "Order_memo_idx"`,
  },
  "attach-index": {
    what: "ALTER INDEX ATTACH PARTITION",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Event_year_idx", page: "sql-alterindex", rewrites: false, scans: false },
    cost: "instant",
    why: "The partition's index is locked ACCESS EXCLUSIVE, its tables only ACCESS SHARE.",
    example: `ALTER INDEX "Event_year_idx" ATTACH PARTITION "Event_2025_year_idx"`,
  },
  "reindex-index": {
    what: "REINDEX INDEX",
    ...{ lock: "ACCESS EXCLUSIVE", on: "Order_note_idx", page: "sql-reindex", rewrites: true, scans: true },
    cost: "builds an index under the lock",
    why: "The index's table can be read (without that index) but not written.",
    example: `REINDEX INDEX "Order_note_idx"`,
    safer: "REINDEX INDEX CONCURRENTLY, alone in its own migration",
  },
  "reindex-table": {
    what: "REINDEX TABLE",
    ...{ lock: "SHARE", on: "Order", page: "sql-reindex", rewrites: false, scans: true },
    cost: "builds an index under the lock",
    why: "Each index is locked ACCESS EXCLUSIVE in its turn, so most reads wait as well.",
    example: `REINDEX TABLE "Order"`,
    safer: "REINDEX TABLE CONCURRENTLY, alone in its own migration",
  },
  "reindex-concurrently": {
    what: "REINDEX CONCURRENTLY",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Order", page: "sql-reindex", rewrites: false, scans: true },
    cost: "builds an index, reads and writes continue",
    why: "A new index is built beside the old one. A failure leaves an INVALID one behind, named ..._ccnew.",
    example: `REINDEX TABLE CONCURRENTLY "Order"`,
  },
  "reindex-many": {
    what: "REINDEX SCHEMA, DATABASE or SYSTEM",
    ...{ lock: "SHARE", on: "Order", page: "sql-reindex", rewrites: false, scans: true },
    cost: "builds an index under the lock",
    why: "As REINDEX TABLE, for one table after another, each in a transaction of its own.",
    example: `REINDEX SCHEMA "public"`,
    safer: "REINDEX ... CONCURRENTLY, alone in its own migration",
  },
} as const satisfies Record<string, Rule>
