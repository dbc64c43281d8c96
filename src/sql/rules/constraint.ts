import type { Rule } from "./rule.js"

const page = "sql-altertable"
const lock = "ACCESS EXCLUSIVE"
const on = "Order"

/** Adding, checking and dropping constraints. */
export const constraintRules = {
  "add-check": {
    what: "ADD CONSTRAINT ... CHECK",
    ...{ lock, on, page, rewrites: false, scans: true, cost: "full scan under the lock" },
    why: "Every row is checked.",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "positive" CHECK ("total" >= 0)`,
    safer: "add it NOT VALID, then VALIDATE CONSTRAINT in the next migration",
  },
  "add-not-null": {
    what: "ADD CONSTRAINT ... NOT NULL",
    ...{ lock, on, page, rewrites: false, scans: true, cost: "full scan under the lock" },
    why: "Every row is checked.",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "noted" NOT NULL "note"`,
    safer: "add it NOT VALID, then VALIDATE CONSTRAINT in the next migration",
  },
  "add-constraint-not-valid": {
    what: "ADD CONSTRAINT ... CHECK or NOT NULL, NOT VALID or NOT ENFORCED",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only rows written later are checked (with NOT ENFORCED, none).",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "positive" CHECK ("total" >= 0) NOT VALID`,
  },
  "add-unique": {
    what: "ADD CONSTRAINT ... UNIQUE or EXCLUDE",
    ...{ lock, on, page, rewrites: false, scans: true, cost: "builds an index under the lock" },
    why: "The index is built while nobody can read or write the table.",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "one_note" UNIQUE ("note")`,
    safer: "CREATE UNIQUE INDEX CONCURRENTLY in its own migration, then ADD CONSTRAINT ... USING INDEX",
  },
  "add-primary-key": {
    what: "ADD PRIMARY KEY",
    ...{ lock, on: "Archive", page, rewrites: false, scans: true, cost: "builds an index under the lock" },
    why: "The index is built while nobody can read or write the table, and the columns become NOT NULL.",
    example: `ALTER TABLE "Archive" ADD PRIMARY KEY ("id")`,
    safer: "CREATE UNIQUE INDEX CONCURRENTLY in its own migration, SET NOT NULL, then ADD PRIMARY KEY USING INDEX",
  },
  "add-unique-using-index": {
    what: "ADD CONSTRAINT ... UNIQUE USING INDEX",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "The index is there already.",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "one_code" UNIQUE USING INDEX "Order_code_key"`,
  },
  "add-primary-key-using-index": {
    what: "ADD PRIMARY KEY USING INDEX",
    ...{ lock, on: "Archive", page, rewrites: false, scans: "depends", cost: "full scan under the lock" },
    why: "The index is there already, but columns that are not NOT NULL yet are scanned for nulls.",
    example: `ALTER TABLE "Archive" ADD PRIMARY KEY USING INDEX "Archive_id_key"`,
    safer: "SET NOT NULL by way of a validated CHECK first; then this is instant",
  },
  "add-foreign-key": {
    what: "ADD FOREIGN KEY",
    ...{ lock: "SHARE ROW EXCLUSIVE", on, page, rewrites: false, scans: true, cost: "full scan under the lock" },
    why: "Every row is looked up in the referenced table; both tables can be read but not written.",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "buyer" FOREIGN KEY ("userId") REFERENCES "User" ("id")`,
    safer: "add it NOT VALID, then VALIDATE CONSTRAINT in the next migration",
  },
  "add-foreign-key-not-valid": {
    what: "ADD FOREIGN KEY ... NOT VALID or NOT ENFORCED",
    ...{ lock: "SHARE ROW EXCLUSIVE", on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only rows written later are checked (with NOT ENFORCED, none).",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "buyer" FOREIGN KEY ("userId") REFERENCES "User" ("id") NOT VALID`,
  },
  "referenced-by-foreign-key": {
    what: "the table that a new foreign key references, rows being checked",
    ...{
      lock: "SHARE ROW EXCLUSIVE",
      on: "User",
      page,
      rewrites: false,
      scans: true,
      cost: "full scan under the lock",
    },
    why: "It gets triggers, and is read for every row that refers to it.",
    example: `ALTER TABLE "Order" ADD CONSTRAINT "buyer" FOREIGN KEY ("userId") REFERENCES "User" ("id")`,
    safer: "add it NOT VALID, then VALIDATE CONSTRAINT in the next migration",
  },
  "referenced-by-new-column": {
    what: "the table that a new foreign key references, no rows to check",
    ...{
      lock: "SHARE ROW EXCLUSIVE",
      on: "User",
      page: "sql-createtable",
      rewrites: false,
      scans: false,
      cost: "instant",
    },
    why: "It gets triggers, so it cannot be written until the transaction ends.",
    example: `CREATE TABLE "Refund" ("id" int PRIMARY KEY, "userId" int REFERENCES "User" ("id"))`,
  },
  "validate-constraint": {
    what: "VALIDATE CONSTRAINT",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page, rewrites: false, scans: true },
    cost: "full scan, reads and writes go on",
    why: "Every row is checked. For a foreign key the referenced table is locked ROW SHARE.",
    example: `ALTER TABLE "Order" VALIDATE CONSTRAINT "sane"`,
  },
  "alter-constraint": {
    what: "ALTER CONSTRAINT",
    ...{ lock, on: "Payment", page, rewrites: false, scans: "depends", cost: "instant" },
    why: "Only the catalog changes, except that ENFORCED checks every row.",
    example: `ALTER TABLE "Payment" ALTER CONSTRAINT "paid_order" DEFERRABLE`,
  },
  "drop-constraint": {
    what: "DROP CONSTRAINT",
    ...{ lock, on, page, rewrites: false, scans: false, cost: "instant" },
    why: "Only the catalog changes. Dropping a foreign key locks the table that it references as well.",
    example: `ALTER TABLE "Order" DROP CONSTRAINT "sane"`,
  },
} as const satisfies Record<string, Rule>
