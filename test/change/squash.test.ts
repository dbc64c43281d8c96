import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { squash } from "../../src/change/squash/squash.js"
import { readFolder } from "../../src/history/folder.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { objectsIn } from "../e2e/json.js"
import { createDatabase, serverUrl } from "../support/postgres.js"
import { createProject } from "../support/project.js"
import { openShop, orders, scratchDatabasesLeftOn } from "../support/shop.js"

const role = "lockstep_squash_reader"

/** What Prisma makes, what it does not see, and what makes use of each other in every direction. */
const everything = {
  "20260101000000_types": `
    DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role}; END IF; END $$;
    CREATE SCHEMA "audit";
    CREATE TYPE "Role" AS ENUM ('A', 'it''s');
    CREATE DOMAIN "Email" AS text CONSTRAINT "looks" CHECK (VALUE ~ '@') DEFAULT 'a@b';
    CREATE TYPE "Point" AS ("x" int, "y" numeric(4, 2));
    CREATE SEQUENCE "ticket" AS int START 5 INCREMENT 5;
    CREATE TABLE "gone" ("id" serial PRIMARY KEY);`,
  "20260102000000_tables": `
    CREATE FUNCTION "next_code"() RETURNS text LANGUAGE sql AS 'SELECT ''c'' || nextval(''ticket'')';
    CREATE TABLE "User" (
      "id" SERIAL PRIMARY KEY, "code" text NOT NULL DEFAULT "next_code"(), "mail" "Email", "role" "Role" DEFAULT 'A',
      "born" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP, "tags" text[] DEFAULT ARRAY['a,b']::text[], "at" "Point",
      "lower" text GENERATED ALWAYS AS (lower("code")) STORED, "note" text COLLATE "C", "seen" timestamptz);
    CREATE UNIQUE INDEX "User_code" ON "User" (lower("code")) WHERE "mail" IS NOT NULL;
    CREATE TABLE "Order" ("id" bigint GENERATED ALWAYS AS IDENTITY (START 10), "user" int, "token" uuid NOT NULL DEFAULT gen_random_uuid(),
      "during" tsrange, CONSTRAINT "Order_pkey" PRIMARY KEY ("id"), CONSTRAINT "apart" EXCLUDE USING gist ("during" WITH &&));
    ALTER TABLE "Order" ADD CONSTRAINT "Order_user" FOREIGN KEY ("user") REFERENCES "User" ("id") ON DELETE CASCADE DEFERRABLE;
    ALTER TABLE "Order" ADD CONSTRAINT "positive" CHECK ("id" > 0) NOT VALID;
    CREATE TABLE "audit"."Log" ("at" date NOT NULL, "what" text) PARTITION BY RANGE ("at");
    CREATE TABLE "audit"."Log_26" PARTITION OF "audit"."Log" FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE INDEX "Log_what" ON "audit"."Log" ("what");
    CREATE UNLOGGED TABLE "Cache" ("key" text) WITH (fillfactor = 70);
    CREATE TABLE "Child" ("extra" int) INHERITS ("Cache");
    DROP TABLE "gone";`,
  "20260103000000_unseen": `
    CREATE VIEW "Users" WITH (security_barrier = true) AS SELECT "id", "code" FROM "User";
    CREATE MATERIALIZED VIEW "Codes" AS SELECT "code" FROM "Users";
    CREATE UNIQUE INDEX "Codes_code" ON "Codes" ("code");
    CREATE FUNCTION "of"("User") RETURNS text LANGUAGE sql STABLE AS 'SELECT $1.code';
    CREATE FUNCTION "touch"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW."seen" = now(); RETURN NEW; END $$;
    CREATE TRIGGER "touches" BEFORE UPDATE ON "User" FOR EACH ROW WHEN (NEW."code" <> '') EXECUTE FUNCTION "touch"();
    CREATE TRIGGER "touches_new" BEFORE INSERT ON "User" FOR EACH ROW EXECUTE FUNCTION "touch"();
    CREATE TRIGGER "off" BEFORE DELETE ON "Order" FOR EACH ROW EXECUTE FUNCTION "touch"();
    ALTER TABLE "Order" DISABLE TRIGGER "off";
    CREATE RULE "kept" AS ON DELETE TO "User" DO INSTEAD NOTHING;
    CREATE STATISTICS "both" (dependencies) ON "code", "note" FROM "User";
    ALTER TABLE "Order" REPLICA IDENTITY FULL;
    ALTER TABLE "Order" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Order" FORCE ROW LEVEL SECURITY;
    CREATE POLICY "own" ON "Order" AS RESTRICTIVE FOR UPDATE TO ${role} USING ("user" = 1) WITH CHECK ("id" > 0);
    COMMENT ON TABLE "Order" IS 'it''s ordered'; COMMENT ON COLUMN "User"."code" IS 'code';
    COMMENT ON CONSTRAINT "looks" ON DOMAIN "Email" IS 'an @';
    GRANT SELECT, UPDATE ("note") ON "User" TO ${role} WITH GRANT OPTION;
    GRANT USAGE ON SCHEMA "audit" TO ${role}; REVOKE EXECUTE ON FUNCTION "touch"() FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA "public" GRANT SELECT ON TABLES TO ${role};`,
  "20260104000000_rows": `
    INSERT INTO "User" ("code", "mail", "note") VALUES ('x', 'x@y', E'back\\\\slash\\nand line'), (DEFAULT, NULL, NULL);
    INSERT INTO "Order" ("user") SELECT "id" FROM "User";
    INSERT INTO "audit"."Log" VALUES ('2026-05-05', 'five');
    UPDATE "User" SET "role" = 'it''s' WHERE "code" = 'x';
    DELETE FROM "Order" WHERE "id" = 10;`,
  "20260105000000_later": `ALTER TABLE "User" ADD COLUMN "age" int; INSERT INTO "User" ("code") VALUES ('later');`,
} as const

const made = (migrations: Readonly<Record<string, string>>, until: string) => {
  const folder = readFolder(createProject({ migrations }).migrationsDir)
  return squash({ url: parseDatabaseUrl(serverUrl()), folder, until })
}

afterAll(async () => {
  const database = await createDatabase()
  await database.query(`DROP ROLE IF EXISTS ${role}`)
  await database.drop()
})

test("whatever a history makes, its squash makes, and the later migrations on top of it", async () => {
  const result = await made(everything, "20260104")
  if (result.state !== "new") throw new Error("there is something to squash")
  expect(result).toMatchObject({ name: "20260104000000_rows", rows: 4 })
  expect(result.replaces).toEqual(Object.keys(everything).slice(0, 4))
  expect(result.sql).toMatch(/^-- lockstep-squash 4 migrations in one, from 20260101000000_types/)
  expect(result.sql).not.toContain("gone")
  expect(result.sql).toContain(`INSERT INTO "Order" ("id", "user", "token", "during") OVERRIDING SYSTEM VALUE VALUES`)
  expect(result.sql).toContain("(11, 2, DEFAULT, NULL)")
  expect(result.notes).toEqual([
    `Each replay makes other values; here they are CURRENT_TIMESTAMP: "User"."born", "User"."seen"`,
    `Each replay makes other values; here they are DEFAULT: "Order"."token"`,
  ])
})

test("what no statement is known for is refused, and named", async () => {
  const migrations = {
    "1_table": `CREATE TABLE "t" ("n" int);`,
    "2_aggregate": `CREATE AGGREGATE "product"(int) (SFUNC = int4mul, STYPE = int);`,
  }
  await expect(made(migrations, "2")).rejects.toMatchObject({
    code: "L1854",
    details: { hint: expect.stringContaining("not made: aggregate public.product(integer)") },
  })
  expect(await made(migrations, "1")).toEqual({ state: "nothing", replaces: ["1_table"] })
})

test("random keys that rows refer to stay as one replay made them, and are noted", async () => {
  const migrations = {
    "1_tables": `CREATE TABLE "a" ("id" uuid PRIMARY KEY); CREATE TABLE "b" ("a" uuid REFERENCES "a" ("id"));`,
    "2_rows": `INSERT INTO "a" VALUES (gen_random_uuid()); INSERT INTO "b" SELECT "id" FROM "a";`,
  }
  const result = await made(migrations, "2")
  expect(result).toMatchObject({
    rows: 2,
    notes: [expect.stringMatching(/here they are those of one replay, .*: a\."id", b\."a"$/)],
  })
})

test("the command: refused where it could not be taken back, written where it can, adopted by the next deploy", async () => {
  const { project, database, run } = await openShop()
  const squashed = () => run("squash", "--until", orders, "--json")
  expect(await squashed()).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("L1856") })
  await run("deploy")
  expect(await squashed()).toMatchObject({ exitCode: 2, stdout: expect.stringContaining("L1855") })
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=T", "-c", "user.email=t@example.org", ...args], { cwd: project.root })
  git("init", "--quiet")
  git("add", "--all")
  git("commit", "--quiet", "--message", "Base")

  const dry = await run("squash", "--until", orders, "--dry-run")
  expect([dry.exitCode, dry.stdout.startsWith("-- lockstep-squash 2 ")]).toEqual([0, true])
  expect(git("status", "--porcelain").toString()).toBe("")
  const done = await squashed()
  expect(done.exitCode, done.all).toBe(0)
  expect(objectsIn(done.stdout)).toMatchObject([{ state: "written", name: orders, rows: 0 }])
  expect(readdirSync(project.migrationsDir).sort()).toEqual([orders, "migration_lock.toml"].sort())
  expect(readFileSync(join(project.migrationsDir, orders, "migration.sql"), "utf8")).toContain(`CREATE TABLE "User"`)

  expect(await run("status")).toMatchObject({ exitCode: 1, stdout: expect.stringContaining("1 to adopt") })
  const planned = await run("plan", "--json")
  expect(objectsIn(planned.stdout)).toMatchObject([{ adopts: [orders], migrations: [] }])
  const status = objectsIn((await run("status", "--json")).stdout)
  expect(status).toMatchObject([{ upToDate: false, toAdopt: [{ name: orders, replaces: 2 }] }])
  const deployed = await run("deploy")
  expect(deployed, deployed.all).toMatchObject({
    exitCode: 0,
    stdout: "1 squashed migration adopted. Verified: 1 of 1 recorded.",
  })
  expect(await run("status")).toMatchObject({ exitCode: 0 })
  expect(await run("undo", orders)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("L1853") })
  expect(await run("check", "history", "--base", "HEAD")).toMatchObject({ exitCode: 0 })
  expect(await scratchDatabasesLeftOn(database)).toBe(0)

  git("checkout", "--", ".")
  expect(await run("deploy")).toMatchObject({ exitCode: 0, stdout: "Nothing to do. Verified: 2 of 2 recorded." })
})
