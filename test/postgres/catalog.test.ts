import { expect, test } from "vitest"
import { describeCatalog, readCatalog } from "../../src/postgres/catalog.js"
import { connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { createDatabase, postgresMajor, type TestDatabase } from "../support/postgres.js"

const objects = `
CREATE TYPE "Mood" AS ENUM ('SAD', 'HAPPY');
CREATE DOMAIN given AS text CHECK (VALUE <> '');
CREATE TYPE pair AS (a int, b text);
CREATE TABLE "User" (id serial PRIMARY KEY, name text NOT NULL DEFAULT 'x', mood "Mood",
  lower text GENERATED ALWAYS AS (lower(name)) STORED, n int CHECK (n > 0));
CREATE INDEX by_lower ON "User" (lower(name)) WHERE n > 1;
CREATE VIEW names AS SELECT name FROM "User";
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM "User";
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION touch();
CREATE POLICY mine ON "User" USING (n > 1);
CREATE SEQUENCE numbers;
CREATE TABLE "_prisma_migrations" (id int PRIMARY KEY);
`

async function catalogOf(database: TestDatabase): Promise<readonly string[]> {
  const client = await connect(parseDatabaseUrl(database.url))
  return await describeCatalog(client, "public").finally(() => client.end())
}

test("every kind of object is one line, and the history table is none", async () => {
  const database = await createDatabase()
  await database.query(objects)
  const lines = await catalogOf(database)
  for (const line of [
    `enum public."Mood" 'SAD', 'HAPPY'`,
    `domain public.given text CHECK ((VALUE <> ''::text))`,
    "type public.pair a integer, b text",
    `column public."User".name text NOT NULL DEFAULT 'x'::text`,
    `column public."User".lower text GENERATED ALWAYS AS (lower(name))`,
    `constraint public."User"."User_n_check" CHECK ((n > 0))`,
    `index public.by_lower CREATE INDEX by_lower ON public."User" USING btree (lower(name)) WHERE (n > 1)`,
    // In the server's words, which are shorter from PostgreSQL 16 on.
    `view public.names SELECT ${postgresMajor < 16 ? '"User".' : ""}name FROM public."User";`,
    `materialized view public.counted SELECT count(*) AS count FROM public."User";`,
    `trigger public."User".touched CREATE TRIGGER touched BEFORE INSERT ON public."User" FOR EACH ROW EXECUTE FUNCTION public.touch()`,
    `policy public."User".mine PERMISSIVE ALL {public} (n > 1)`,
  ]) {
    expect(lines).toContain(line)
  }
  expect(lines.join("\n")).not.toContain("_prisma_migrations")
})

test("what is created from a catalog is what was there", async () => {
  const [one, other] = [await createDatabase(), await createDatabase()]
  await one.query(objects)
  const client = await connect(parseDatabaseUrl(one.url))
  const kinds = ["view", "materialized view", "function", "trigger"]
  const found = (await readCatalog(client, "public").finally(() => client.end())).filter(({ kind }) =>
    kinds.includes(kind),
  )
  await other.query(objects)
  for (const { drop } of found.toReversed()) await other.query(drop)
  expect(await catalogOf(other)).not.toEqual(await catalogOf(one))
  for (const { create } of found) await other.query(create)
  expect(await catalogOf(other)).toEqual(await catalogOf(one))
})

test("the order of columns and the session's search path make no difference", async () => {
  const [one, other] = [await createDatabase(), await createDatabase()]
  await one.query("CREATE TABLE t (a int, b int)")
  await other.query("CREATE TABLE t (b int, a int)")
  await other.query(`ALTER DATABASE ${other.name} SET search_path TO pg_catalog`)
  expect(await catalogOf(other)).toEqual(await catalogOf(one))
})
