import { expect, test } from "vitest"
import { lockstep } from "../support/in-process.js"
import { createDatabase } from "../support/postgres.js"
import { createProject } from "../support/project.js"

const init = "CREATE TABLE word (n int, w text);"

/** The words that a migration stores, as the bytes of UTF-8. */
async function stored(sql: string) {
  const database = await createDatabase()
  const migrations = { "20260101000000_init": init, "20260102000000_éclair": sql }
  const done = await lockstep(["deploy"], { cwd: createProject({ migrations }).root, url: database.url })
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  const names = await database.query("SELECT migration_name AS name FROM _prisma_migrations ORDER BY 1")
  expect(names).toEqual(Object.keys(migrations).map((name) => ({ name })))
  const words = await database.query("SELECT encode(convert_to(w, 'UTF8'), 'hex') AS w FROM word ORDER BY n")
  return words.map(({ w }) => w)
}

const eAcute = "c3a9"
const outside = "CREATE INDEX CONCURRENTLY word_n ON word (n);"

test.each([
  ["in one transaction", ""],
  ["statement by statement", outside],
])("what a migration sets client_encoding to changes none of its characters, applied %s", async (_, last) => {
  const sql = `SET client_encoding = 'LATIN1';
INSERT INTO word VALUES (1, 'é');
SET NAMES 'SQL_ASCII';
INSERT INTO word VALUES (2, 'é');
SELECT set_config('client_encoding', 'WIN1252', false);
INSERT INTO word VALUES (3, 'é');
DO $$ BEGIN PERFORM set_config('client_encoding', 'LATIN9', false); END $$;
INSERT INTO word VALUES (4, 'é');
${last}`
  expect(await stored(sql)).toEqual([eAcute, eAcute, eAcute, eAcute])
})

test("nor in transactions of its own, whether they commit or roll back", async () => {
  const sql = `BEGIN;
SET client_encoding = 'LATIN1';
INSERT INTO word VALUES (1, 'é');
ROLLBACK;
INSERT INTO word VALUES (2, 'é');
BEGIN;
SET LOCAL client_encoding = 'LATIN1';
INSERT INTO word VALUES (3, 'é');
SAVEPOINT s;
SET client_encoding = 'LATIN1';
ROLLBACK TO s;
INSERT INTO word VALUES (4, 'é');
COMMIT;
INSERT INTO word VALUES (5, 'é');`
  expect(await stored(sql)).toEqual([eAcute, eAcute, eAcute, eAcute])
})

test("what is recorded of a failure after it has its characters too", async () => {
  const database = await createDatabase()
  const sql = `SET client_encoding = 'LATIN1';\nINSERT INTO "é" VALUES (1);\n${outside}`
  const project = createProject({ migrations: { "20260101000000_init": init, "20260102000000_fails": sql } })
  const failed = await lockstep(["deploy"], { cwd: project.root, url: database.url })
  expect(failed.stderr).toContain('error[L1015]: relation "é" does not exist')
  expect(await database.query("SELECT logs FROM _prisma_migrations WHERE finished_at IS NULL")).toEqual([
    { logs: expect.stringContaining('relation "é" does not exist') },
  ])
})
