import type { Rule } from "./rule.js"

const exclusive = "ACCESS EXCLUSIVE"
const quick = { rewrites: false, scans: false, cost: "instant" } as const
const on = "Order"

/** Objects that belong to a table. */
export const dependentRules = {
  "create-trigger": {
    what: "CREATE TRIGGER",
    ...{ lock: "SHARE ROW EXCLUSIVE", on, page: "sql-createtrigger", ...quick },
    why: "The table cannot be written meanwhile; from then on every write runs the trigger.",
    example: `CREATE TRIGGER "again" BEFORE UPDATE ON "Order" FOR EACH ROW EXECUTE FUNCTION touched()`,
  },
  "change-trigger": {
    what: "DROP TRIGGER, ALTER TRIGGER RENAME",
    ...{ lock: exclusive, on, page: "sql-droptrigger", ...quick },
    why: "Nobody can read or write the table meanwhile.",
    example: `DROP TRIGGER "touch" ON "Order"`,
  },
  policy: {
    what: "CREATE, ALTER or DROP POLICY",
    ...{ lock: exclusive, on, page: "sql-createpolicy", ...quick },
    why: "Nobody can read or write the table meanwhile.",
    example: `CREATE POLICY "own" ON "Order" USING (true)`,
  },
  rule: {
    what: "CREATE or DROP RULE",
    ...{ lock: exclusive, on, page: "sql-createrule", ...quick },
    why: "Nobody can read or write the table meanwhile.",
    example: `CREATE RULE "keep" AS ON DELETE TO "Order" DO INSTEAD NOTHING`,
  },
  statistics: {
    what: "CREATE STATISTICS",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page: "sql-createstatistics", ...quick },
    why: "Read by the next ANALYZE.",
    example: `CREATE STATISTICS "pairs" ON "userId", "total" FROM "Order"`,
  },
  publication: {
    what: "CREATE or ALTER PUBLICATION: its tables",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page: "sql-createpublication", ...quick },
    why: "Reads and writes continue.",
    example: `CREATE PUBLICATION "feed" FOR TABLE "Order"`,
  },
  comment: {
    what: "COMMENT ON a table, view, sequence, column or index",
    ...{ lock: "SHARE UPDATE EXCLUSIVE", on, page: "sql-comment", ...quick },
    why: "Reads and writes continue.",
    example: `COMMENT ON TABLE "Order" IS 'what people bought'`,
  },
  sequence: {
    what: "ALTER SEQUENCE",
    ...{ lock: "SHARE ROW EXCLUSIVE", on: "counter", page: "sql-altersequence", ...quick, rewrites: true },
    why: "The sequence's one page is written anew; nextval() waits meanwhile.",
    example: `ALTER SEQUENCE "counter" INCREMENT BY 10`,
  },
} as const satisfies Record<string, Rule>

/** Views, and objects that are no tables. */
export const objectRules = {
  "replace-view": {
    what: "CREATE OR REPLACE VIEW, ALTER VIEW",
    ...{ lock: exclusive, on: "Recent", page: "sql-createview", ...quick },
    why: "The view cannot be read meanwhile; its tables can.",
    example: `CREATE OR REPLACE VIEW "Recent" AS SELECT "id", "total" FROM "Order"`,
  },
  "drop-view": {
    what: "DROP VIEW, MATERIALIZED VIEW or SEQUENCE",
    ...{ lock: exclusive, on: "Recent", page: "sql-dropview", ...quick },
    why: "The view's tables are not locked.",
    example: `DROP VIEW "Recent"`,
  },
  "create-object": {
    what: "CREATE VIEW, TYPE, FUNCTION, SCHEMA, EXTENSION, SEQUENCE, ROLE, ...; GRANT, REVOKE",
    ...{ lock: "none", page: "explicit-locking", ...quick },
    why: "No table is locked against reads or writes.",
    example: `CREATE TYPE "Size" AS ENUM ('S', 'M', 'L')`,
  },
  "alter-type": {
    what: "ALTER TYPE ADD VALUE or RENAME VALUE, and other changes of objects that are no tables",
    ...{ lock: "none", page: "sql-altertype", ...quick },
    why: "No table is locked. A new enum value can be used once it is committed.",
    example: `ALTER TYPE "Status" ADD VALUE 'LATE'`,
  },
  "alter-domain": {
    what: "ALTER DOMAIN ADD CONSTRAINT, SET NOT NULL, VALIDATE CONSTRAINT",
    ...{ lock: "SHARE", on: "Archive", page: "sql-alterdomain", rewrites: false, scans: true },
    cost: "full scan under the lock",
    why: "Every table with a column of the domain is read, and cannot be written meanwhile.",
    example: `ALTER DOMAIN "Label" ADD CONSTRAINT "short" CHECK (length(VALUE) < 100)`,
    safer: "add it NOT VALID, then VALIDATE CONSTRAINT in the next migration",
  },
  "drop-object": {
    what: "DROP TYPE, FUNCTION, EXTENSION, ROLE, ...",
    ...{ lock: "none", page: "ddl-depend", ...quick },
    why: "No table is locked, except that CASCADE drops whatever depends on the object, columns included.",
    example: `DROP FUNCTION make_code()`,
  },
  unknown: {
    what: "DO, CALL, EXECUTE, DROP ... CASCADE of schemas and owners",
    ...{ lock: "unknown", page: "explicit-locking", rewrites: "depends", scans: "depends", cost: "unknown" },
    why: "What runs is decided when it runs: read the code.",
    example: `DO $$ BEGIN UPDATE "Order" SET "note" = 'done'; END $$`,
  },
} as const satisfies Record<string, Rule>
