import type { Rule } from "./rule.js"

const page = "sql-altertable"
const lock = "ACCESS EXCLUSIVE"
const on = "Order"
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
