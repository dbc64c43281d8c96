import { expect, test } from "vitest"
import { lockstep } from "../../support/in-process.js"
import { createDatabase, type TestDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"

const name = "20260102000000_change"
const init = {
  "20260101000000_init": `CREATE TABLE account (id int PRIMARY KEY, n int);
INSERT INTO account VALUES (1, 0);
CREATE PROCEDURE committing() LANGUAGE plpgsql AS $$ BEGIN UPDATE account SET n = n + 1; COMMIT; END $$;`,
}
/** The parser's stack is too small for it; the server sees that the table exists, and looks no deeper. */
const deep = `CREATE TABLE IF NOT EXISTS account (id int DEFAULT ${Array(20_000).fill("1").join("+")});`

/** A database on which a backslash escapes a quote, as it does in files for old servers. */
async function escaping(): Promise<TestDatabase> {
  const database = await createDatabase()
  await database.query(`ALTER DATABASE ${database.name} SET standard_conforming_strings = off`)
  return database
}

const deploy = (database: TestDatabase, sql: string) =>
  lockstep(["deploy"], { cwd: createProject({ migrations: { ...init, [name]: sql } }).root, url: database.url })

async function expectUntouched(database: TestDatabase) {
  expect(await database.query("SELECT id, n FROM account")).toEqual([{ id: 1, n: 0 }])
  const tables = "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
  expect(await database.query(`${tables} ORDER BY 1`)).toEqual([{ name: "_prisma_migrations" }, { name: "account" }])
  expect(await database.query("SELECT FROM _prisma_migrations")).toHaveLength(1)
  expect(await database.query("SELECT FROM pg_prepared_xacts WHERE database = current_database()")).toEqual([])
}

const state = "state:  nothing of this migration was applied or recorded; the earlier migration is applied."

test.each([
  ["COMMIT", "COMMIT;"],
  ["COMMIT and an error", "COMMIT;\nSELECT 1/0;"],
  ["END", "END;"],
  ["COMMIT AND CHAIN", "COMMIT AND CHAIN;"],
  ["ROLLBACK", "ROLLBACK;"],
  ["ROLLBACK, and then COMMIT", "ROLLBACK;\nCREATE TABLE w (id int);\nCOMMIT;\nCREATE TABLE x (id int);"],
  ["its own BEGIN and COMMIT", "BEGIN;\nCREATE TABLE w (id int);\nCOMMIT;"],
  ["PREPARE TRANSACTION", "PREPARE TRANSACTION 'lockstep';"],
  ["SAVEPOINT", "SAVEPOINT a;"],
])("a file that cannot be parsed, with %s inside: nothing is applied, however often", async (_, sql) => {
  const database = await escaping()
  const file = `UPDATE account SET n = n + 1;\nCREATE TABLE v (t text);\nINSERT INTO v VALUES ('it\\'s');\n${sql}`
  for (const _attempt of [1, 2]) {
    const failed = await deploy(database, file)
    expect(failed, failed.all).toMatchObject({ exitCode: 1 })
    expect(failed.stderr).toContain("error[L1024]: the file begins or ends a transaction, and Lockstep cannot parse it")
    expect(failed.stderr).toContain(`${name}/migration.sql:3:26\n`)
    expect(failed.stderr).toContain(state)
    await expectUntouched(database)
  }
})

test("nor where an expression is too deep for the parser, or a procedure commits, or a string does not end", async () => {
  for (const [sql, error] of [
    [`UPDATE account SET n = n + 1;\n${deep}\nCOMMIT;`, "error[L1024]"],
    [`CALL committing();\n${deep}`, "(PostgreSQL 2D000)"],
    [`UPDATE account SET n = n + 1;\nSELECT 'open;\n`, "(PostgreSQL 42601)"],
    [`UPDATE account SET n = n + 1;\n/* open`, "(PostgreSQL 42601)"],
    [`UPDATE account SET n = n + 1;\nSELECT $lockstep$;\n`, "(PostgreSQL 42601)"],
  ] as const) {
    const database = await createDatabase()
    const failed = await deploy(database, sql)
    expect(failed, failed.all).toMatchObject({ exitCode: 1 })
    expect(failed.stderr).toContain(error)
    expect(failed.stderr).toContain(state)
    await expectUntouched(database)
  }
})

test("a file that the parser reads otherwise than the server cannot hide a COMMIT in a string", async () => {
  const database = await escaping()
  const failed = await deploy(database, `CREATE TABLE v (id int);\nSELECT 'a\\'';COMMIT;SELECT '''--';`)
  expect(failed.stderr).toContain("error[L1024]")
  await expectUntouched(database)
})

test("what the server takes is applied, each part as the server reads it", async () => {
  const database = await escaping()
  const sql = `CREATE TABLE v (id int REFERENCES account DEFERRABLE INITIALLY DEFERRED, t text);
INSERT INTO v VALUES (1, 'it\\'s'), (1, 'C:\\\\'), (1, $tag$'\\$tag$), (1, E'é\\n');
SET CONSTRAINTS ALL IMMEDIATE;
SET lockstep.test = 'on';
${deep}
SELECT t INTO w FROM v -- the last line is a comment`
  const done = await deploy(database, sql)
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  const expected = ["it's", "C:\\", "'\\", "é\n"].map((t) => ({ t }))
  expect(await database.query("SELECT t FROM v")).toEqual(expected)
  expect(await database.query("SELECT t FROM w")).toEqual(expected)
  expect(await database.query("SELECT FROM _prisma_migrations WHERE finished_at IS NOT NULL")).toHaveLength(2)
})

test("a failure in it has its place where the server says it, and says that the file cannot be parsed", async () => {
  const database = await createDatabase()
  const unknown = await deploy(database, `UPDATE account SET n = 7;\n${deep}\n-- é\nSELECT 1;  SELECT nothing;`)
  expect(unknown.stderr).toContain('error[L1012]: column "nothing" does not exist (PostgreSQL 42703)')
  expect(unknown.stderr).toContain(`${name}/migration.sql:4:19\n`)
  const placeless = await deploy(database, `UPDATE account SET n = 7;\n${deep}\nSELECT 1/0;`)
  expect(placeless.stderr).toContain("error[L1012]: division by zero (PostgreSQL 22012)")
  expect(placeless.stderr).toContain("Lockstep cannot parse this file (1:1: an expression is nested too deeply).")
  expect(placeless.stderr).not.toContain("COMMIT")
  expect(placeless.stderr.length).toBeLessThan(2000)
  await expectUntouched(database)
})

test("what the server's grammar refuses, too, is an error of the file's alone", async () => {
  const database = await createDatabase()
  const failed = await deploy(database, "UPDATE account SET n = 7;\nFROBNICATE account;")
  expect(failed.stderr).toContain('error[L1012]: syntax error at or near "FROBNICATE" (PostgreSQL 42601)')
  expect(failed.stderr).toContain(`${name}/migration.sql:2:1\n`)
  expect(failed.stderr).not.toContain("Lockstep cannot parse")
  await expectUntouched(database)
})
