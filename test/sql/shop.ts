import pg from "pg"

/** The tables that the rules' examples run on: 1,000 rows each, unless their name says otherwise. */
const shop = `
  CREATE SCHEMA "attic";
  CREATE TYPE "Status" AS ENUM ('NEW', 'DONE');
  CREATE DOMAIN "Label" AS text;
  CREATE FUNCTION make_code() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT 'code' $$;
  CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
  CREATE SEQUENCE "counter";

  CREATE TABLE "User" ("id" int PRIMARY KEY, "name" text NOT NULL);
  CREATE TABLE "Order" (
    "id" int PRIMARY KEY,
    "userId" int NOT NULL,
    "quantity" int NOT NULL,
    "total" numeric(10, 2) NOT NULL,
    "note" text,
    "short" varchar(20),
    "status" "Status" NOT NULL DEFAULT 'NEW',
    "net" numeric GENERATED ALWAYS AS ("total" * 0.9) STORED
  );
  CREATE TABLE "Payment" (
    "id" int PRIMARY KEY,
    "orderId" int NOT NULL CONSTRAINT "paid_order" REFERENCES "Order" ("id")
  );
  CREATE TABLE "Archive" ("id" int, "label" "Label");
  CREATE TABLE "Empty" ("id" int);
  CREATE TABLE "Parent" ("id" int);
  CREATE TABLE "Child" () INHERITS ("Parent");
  CREATE TABLE "Orphan" ("id" int);
  CREATE TABLE "Event" ("year" int NOT NULL) PARTITION BY RANGE ("year");
  CREATE TABLE "Event_2025" PARTITION OF "Event" FOR VALUES FROM (2025) TO (2026);
  CREATE TABLE "Event_2026" ("year" int NOT NULL);

  INSERT INTO "User" SELECT n, 'user ' || n FROM generate_series(1, 1000) n;
  INSERT INTO "Order" ("id", "userId", "quantity", "total", "note", "short")
    SELECT n, n, 1, n, 'note ' || n, 'short' FROM generate_series(1, 1000) n;
  INSERT INTO "Payment" SELECT n, n FROM generate_series(1, 1000) n;
  INSERT INTO "Archive" SELECT n, 'label' FROM generate_series(1, 1000) n;
  INSERT INTO "Event" SELECT 2025 FROM generate_series(1, 1000);
  INSERT INTO "Event_2026" SELECT 2026 FROM generate_series(1, 1000);

  CREATE INDEX "Order_note_idx" ON "Order" ("note");
  CREATE UNIQUE INDEX "Order_code_key" ON "Order" ("note", "id");
  CREATE UNIQUE INDEX "Archive_id_key" ON "Archive" ("id");
  CREATE INDEX "Event_year_idx" ON ONLY "Event" ("year");
  CREATE INDEX "Event_2025_year_idx" ON "Event_2025" ("year");
  CREATE TRIGGER "touch" BEFORE UPDATE ON "Order" FOR EACH ROW EXECUTE FUNCTION touched();
  ALTER TABLE "Order" ADD CONSTRAINT "sane" CHECK ("total" < 1000000) NOT VALID;
  CREATE VIEW "Recent" AS SELECT "id", "total" FROM "Order";
  CREATE MATERIALIZED VIEW "Sales" AS SELECT "userId", sum("total") AS "total" FROM "Order" GROUP BY "userId";
  CREATE UNIQUE INDEX "Sales_key" ON "Sales" ("userId");
`

/** Empties a database's schemas and fills them with the shop. */
export async function stock(client: pg.Client): Promise<void> {
  await client.query(`DROP SCHEMA IF EXISTS public, attic CASCADE; CREATE SCHEMA public; ${shop}`)
}

/** What the examples need beyond one schema: an access method, and a tablespace, which all databases share. */
export async function prepareSurroundings(client: pg.Client): Promise<void> {
  await client.query("CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler")
  await client.query("SET allow_in_place_tablespaces = on")
  try {
    await client.query("CREATE TABLESPACE lockstep_fast LOCATION ''")
  } catch (error) {
    const isThere = error instanceof pg.DatabaseError && (error.code === "42710" || error.code === "23505")
    if (!isThere) throw error
  }
}
