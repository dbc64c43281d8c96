import { expect, test } from "vitest"
import { findingsOf } from "../../src/check/finding.js"
import { exampleProject } from "./project.js"

const history = `CREATE TABLE "Order" ("id" int PRIMARY KEY, "total" int, "at" date) PARTITION BY RANGE ("id");
CREATE TABLE "Order_1" PARTITION OF "Order" FOR VALUES FROM (0) TO (10);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE "Item" ("id" int);
ALTER TABLE "Item" ENABLE ROW LEVEL SECURITY;
CREATE POLICY "own" ON "Item" USING (true);
CREATE TRIGGER "t" BEFORE INSERT ON "Item" FOR EACH ROW EXECUTE FUNCTION f();
`
const base = { "20260101000000_init": history }

const findings = async (database: string, known?: object) => {
  const project = await exampleProject({ base, branch: {}, database }, "with a database")
  if (known) project.write("package.json", JSON.stringify({ lockstep: { checks: { "schema/drift": { known } } } }))
  const [result] = await project.check({ ids: ["schema/drift"] })
  return { result, objects: findingsOf(result ? [result] : []).map(({ object }) => object) }
}

test.each([
  [`CREATE VIEW "V" AS SELECT 1 AS one`, ['view public."V"']],
  [
    `CREATE OR REPLACE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
    ["function public.f()"],
  ],
  [`DROP TRIGGER "t" ON "Item"`, ['trigger public."Item".t']],
  [`DROP POLICY "own" ON "Item"`, ['policy public."Item".own']],
  [`GRANT SELECT, INSERT ON "Item" TO pg_monitor`, ['grant public."Item" to pg_monitor']],
  [`REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC`, ["grant public.f() to PUBLIC"]],
  [`CREATE SCHEMA apart; CREATE EXTENSION pg_trgm SCHEMA apart`, ["extension pg_trgm"]],
  [`CREATE TABLE "Order_2" PARTITION OF "Order" FOR VALUES FROM (10) TO (20)`, ['table public."Order_2"']],
  [`ALTER TABLE "Order" DETACH PARTITION "Order_1"`, expect.arrayContaining(['table public."Order_1"'])],
  [`CREATE TABLE "Extra" ("id" int PRIMARY KEY); CREATE INDEX ON "Extra" ("id")`, ['table public."Extra"']],
  [`ALTER TABLE "Item" ALTER COLUMN "id" TYPE bigint`, ['column public."Item".id']],
])("drift is named object by object: %s", async (sql, objects) => {
  expect((await findings(sql)).objects).toEqual(objects)
})

test("drift is found in every schema that the history makes, and in no other", async () => {
  const other = {
    "20260102000000_audit": 'CREATE SCHEMA "audit"; CREATE TABLE "audit"."Log" ("at" date); CREATE SCHEMA "empty";',
  }
  const database = `DROP TABLE "audit"."Log"; CREATE VIEW "empty"."V" AS SELECT 1 AS one; CREATE SCHEMA "theirs"; CREATE TABLE "theirs"."T" ("n" int)`
  const project = await exampleProject({ base: { ...base, ...other }, branch: {}, database }, "with a database")
  const found = findingsOf(await project.check({ ids: ["schema/drift"] }))
  expect(found.map(({ object }) => object)).toEqual(['table audit."Log"', 'view empty."V"'])
})

test("drift says what either side has", async () => {
  const { result } = await findings(`ALTER TABLE "Item" ALTER COLUMN "id" TYPE bigint`)
  expect(result).toMatchObject({
    findings: [{ message: expect.stringContaining("The history makes: integer\nThe database has: bigint") }],
  })
})

test("known differences are accepted with their reason, and only they", async () => {
  const sql = `GRANT SELECT ON "Item" TO pg_monitor; CREATE VIEW "V" AS SELECT 1 AS one`
  const { result, objects } = await findings(sql, { "grant * to pg_monitor": "made by Terraform" })
  expect(objects).toEqual(['view public."V"'])
  expect(result).toMatchObject({ accepted: [{ reason: "made by Terraform" }] })
})
