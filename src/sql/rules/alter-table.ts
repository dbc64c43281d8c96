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
    example: `ALTER TABLE "Order" SET ACCESS METHOD heap2`,
  },
  "attach-partition": {
    what: "ATTACH PARTITION: the partitioned table",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Event", page, rewrites: false, scans: false, cost: "instant" },
    why: "Reads and writes go on. A default partition is locked and scanned as well.",
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
    example: `ALTER TABLE "Event" DETACH PARTITION "Event_2025"`,
    safer: "DETACH PARTITION ... CONCURRENTLY, alone in its own migration",
  },
  "detach-partition-concurrently": {
    what: "DETACH PARTITION CONCURRENTLY or FINALIZE: the partitioned table",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on: "Event", page, rewrites: false, scans: false },
    cost: "waits for older transactions",
    why: "Two transactions, with a wait for whoever still uses the table as it was.",
    example: `ALTER TABLE "Event" DETACH PARTITION "Event_2025" CONCURRENTLY`,
  },
  "detached-partition-concurrently": {
    what: "DETACH PARTITION CONCURRENTLY or FINALIZE: the partition",
    ...{ lock, on: "Event_2025", page, rewrites: false, scans: false, cost: "instant" },
    why: "The second transaction needs the partition alone.",
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
