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
    why: "Reads and writes of the parent go on.",
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
