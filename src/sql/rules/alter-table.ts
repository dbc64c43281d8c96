import type { Rule } from "./rule.js"

const page = "sql-altertable"
const lock = "ACCESS EXCLUSIVE"
const on = "Order"

/** The other forms of ALTER TABLE. */
export const alterTableRules = {
  rename: {
    what: "RENAME a table, view, column or constraint",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only the catalog changes, but the old name is gone at once for the code that is running.",
    example: `ALTER TABLE "Order" RENAME COLUMN "note" TO "memo"`,
    safer: "add the new name beside the old one, move the code, then drop the old one (expand and contract)",
  },
  "set-schema": {
    what: "SET SCHEMA",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only the catalog changes, but the old name is gone at once for the code that is running.",
    example: `ALTER TABLE "Order" SET SCHEMA "attic"`,
  },
  "storage-parameters": {
    what: "SET or RESET storage parameters",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Applies to what is written from then on.",
    example: `ALTER TABLE "Order" SET (fillfactor = 80)`,
  },
  "row-security": {
    what: "ENABLE, DISABLE, FORCE or NO FORCE ROW LEVEL SECURITY",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Without a policy, enabling it hides every row from all but the owner.",
    example: `ALTER TABLE "Order" ENABLE ROW LEVEL SECURITY`,
  },
  "switch-trigger": {
    what: "ENABLE or DISABLE TRIGGER",
    ...{ lock: "SHARE ROW EXCLUSIVE", on, page, rewrites: false, scans: false, cost: "instant" },
    why: "The table cannot be written meanwhile.",
    example: `ALTER TABLE "Order" DISABLE TRIGGER "touch"`,
  },
  "cluster-on": {
    what: "CLUSTER ON or SET WITHOUT CLUSTER",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only notes the index that a later CLUSTER uses.",
    example: `ALTER TABLE "Order" CLUSTER ON "Order_note_idx"`,
  },
  "set-logged": {
    what: "SET LOGGED or SET UNLOGGED",
    ...{ lock, on: "Archive", page, rewrites: true, scans: true, cost: "rewrites the table" },
    why: "The table is written anew, with or without the write-ahead log.",
    example: `ALTER TABLE "Archive" SET UNLOGGED`,
  },
  "set-tablespace": {
    what: "SET TABLESPACE",
    ...{ lock, on, page, rewrites: true, scans: false, cost: "rewrites the table" },
    why: "The table's file is copied, block by block.",
    example: `ALTER TABLE "Order" SET TABLESPACE lockstep_fast`,
  },
  "set-access-method": {
    what: "SET ACCESS METHOD",
    ...{ lock, on, page, rewrites: true, scans: true, cost: "rewrites the table" },
    why: "The rows are stored anew in the other way.",
    since: 15,
    example: `ALTER TABLE "Order" SET ACCESS METHOD heap2`,
  },
  "attach-partition": {
    what: "ATTACH PARTITION: the partitioned table",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Event", page, rewrites: false, scans: false, cost: "instant" },
    why: "Reads and writes continue. A default partition is locked and scanned as well.",
    example: `ALTER TABLE "Event" ATTACH PARTITION "Event_2026" FOR VALUES FROM (2026) TO (2027)`,
  },
  "attached-partition": {
    what: "ATTACH PARTITION: the partition",
    ...{ lock, on: "Event_2026", page, rewrites: false, scans: true, cost: "full scan under the lock" },
    why: "Its rows are checked against the bounds, unless a valid CHECK constraint proves them, and the indexes that it lacks are built.",
    example: `ALTER TABLE "Event" ATTACH PARTITION "Event_2026" FOR VALUES FROM (2026) TO (2027)`,
    safer: "create its indexes and add a CHECK with the bounds NOT VALID, VALIDATE, then attach",
  },
  "detach-partition": {
    what: "DETACH PARTITION: the partitioned table and the partition",
    ...{ lock, on: "Event", page, rewrites: false, scans: false, cost: "instant" },
    why: "Nobody can read or write either meanwhile.",
    before: "before 14 the partition itself is locked SHARE UPDATE EXCLUSIVE only",
    example: `ALTER TABLE "Event" DETACH PARTITION "Event_2025"`,
    safer: "DETACH PARTITION ... CONCURRENTLY, alone in its own migration",
  },
  "detach-partition-concurrently": {
    what: "DETACH PARTITION CONCURRENTLY or FINALIZE: the partitioned table",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Event", page, rewrites: false, scans: false },
    cost: "waits for older transactions",
    why: "Two transactions, with a wait for whoever still uses the table as it was.",
    since: 14,
    example: `ALTER TABLE "Event" DETACH PARTITION "Event_2025" CONCURRENTLY`,
  },
  "detached-partition-concurrently": {
    what: "DETACH PARTITION CONCURRENTLY or FINALIZE: the partition",
    ...{ lock, on: "Event_2025", page, rewrites: false, scans: false, cost: "instant" },
    why: "The second transaction needs the partition alone.",
    since: 14,
    example: `ALTER TABLE "Event" DETACH PARTITION "Event_2025" CONCURRENTLY`,
  },
  inherit: {
    what: "INHERIT or NO INHERIT: the child",
    ...{ lock, on: "Child", page, rewrites: false, scans: false, cost: "instant" },
    why: "Only the catalog changes.",
    example: `ALTER TABLE "Child" NO INHERIT "Parent"`,
  },
  "inherit-from": {
    what: "INHERIT: the parent",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Parent", page, rewrites: false, scans: false, cost: "instant" },
    why: "Only the catalog changes.",
    example: `ALTER TABLE "Orphan" INHERIT "Parent"`,
  },
  "alter-table": {
    what: "OWNER TO, REPLICA IDENTITY, ENABLE RULE, OF, and any other form",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Forms that the documentation gives no weaker lock take this one.",
    example: `ALTER TABLE "Order" REPLICA IDENTITY FULL`,
  },
} as const satisfies Record<string, Rule>

const fillLater = "add {column} without the default, SET DEFAULT, then fill the rows in batches"

/** Adding a column. */
export const addColumnRules = {
  "add-column": {
    what: "ADD COLUMN, nullable without a default",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only the catalog changes.",
    example: `ALTER TABLE "Order" ADD COLUMN "memo" text`,
  },
  "add-column-constant-default": {
    what: "ADD COLUMN with a default that is not volatile",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "The value is computed once and kept in the catalog; existing rows are not touched.",
    example: `ALTER TABLE "Order" ADD COLUMN "paid" timestamptz NOT NULL DEFAULT now()`,
  },
  "add-column-volatile-default": {
    what: "ADD COLUMN with a volatile default",
    ...{ lock, on, page, rewrites: true, scans: true, cost: "rewrites the table" },
    why: "Every row needs a value of its own, so the table and its indexes are written anew.",
    example: `ALTER TABLE "Order" ADD COLUMN "code" uuid DEFAULT gen_random_uuid()`,
    safer: fillLater,
  },
  "add-column-function-default": {
    what: "ADD COLUMN with a default that calls a function of unknown volatility",
    ...{ lock, on, page, rewrites: "depends", scans: "depends", cost: "may rewrite the table" },
    why: "A volatile function, which is what CREATE FUNCTION makes unless told otherwise, rewrites the table.",
    example: `ALTER TABLE "Order" ADD COLUMN "code" text DEFAULT make_code()`,
    safer: fillLater,
  },
  "add-column-serial": {
    what: "ADD COLUMN of a serial type",
    ...{ lock, on, page, rewrites: true, scans: true, cost: "rewrites the table" },
    why: "The default is nextval(), which is volatile.",
    example: `ALTER TABLE "Order" ADD COLUMN "number" bigserial`,
    safer: "add {column} as a plain integer, SET DEFAULT nextval(…), then fill the rows in batches",
  },
  "add-column-identity": {
    what: "ADD COLUMN ... GENERATED AS IDENTITY",
    ...{ lock, on, page, rewrites: true, scans: true, cost: "rewrites the table" },
    why: "Every row is numbered.",
    example: `ALTER TABLE "Order" ADD COLUMN "number" bigint GENERATED ALWAYS AS IDENTITY`,
    safer: "add {column} as a plain integer, fill the rows in batches, SET NOT NULL, then ADD GENERATED AS IDENTITY",
  },
  "add-column-generated-stored": {
    what: "ADD COLUMN ... GENERATED ALWAYS AS (...) STORED",
    ...{ lock, on, page, rewrites: true, scans: true, cost: "rewrites the table" },
    why: "Every row's value is computed and stored.",
    example: `ALTER TABLE "Order" ADD COLUMN "gross" numeric GENERATED ALWAYS AS ("total" * 1.2) STORED`,
    safer: "GENERATED ALWAYS AS (...) VIRTUAL (PostgreSQL 18), or a view",
  },
  "add-column-generated-virtual": {
    what: "ADD COLUMN ... GENERATED ALWAYS AS (...) VIRTUAL",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "The value is computed when it is read.",
    since: 18,
    example: `ALTER TABLE "Order" ADD COLUMN "gross" numeric GENERATED ALWAYS AS ("total" * 1.2) VIRTUAL`,
  },
  "add-column-not-null": {
    what: "ADD COLUMN ... NOT NULL without a default",
    ...{ lock, on: "Empty", page, rewrites: false, scans: true, cost: "full scan under the lock" },
    why: "Fails where the table has rows, because each would hold a null.",
    example: `ALTER TABLE "Empty" ADD COLUMN "memo" text NOT NULL`,
    safer: "add {column} nullable, fill the rows, then SET NOT NULL",
  },
  "add-column-unique": {
    what: "ADD COLUMN ... UNIQUE or PRIMARY KEY",
    ...{ lock, on, page, rewrites: false, scans: true, cost: "builds an index under the lock" },
    why: "The index is built while nobody can read or write the table.",
    example: `ALTER TABLE "Order" ADD COLUMN "code" text UNIQUE`,
    safer: "add {column}, CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT ... UNIQUE USING INDEX",
  },
  "add-column-check": {
    what: "ADD COLUMN ... CHECK (...)",
    ...{ lock, on, page, rewrites: false, scans: true, cost: "full scan under the lock" },
    why: "Every row is checked, although the column is new.",
    example: `ALTER TABLE "Order" ADD COLUMN "score" int CHECK ("score" > 0)`,
    safer: "add {column}, then ADD CONSTRAINT ... CHECK NOT VALID and VALIDATE CONSTRAINT",
  },
} as const satisfies Record<string, Rule>
