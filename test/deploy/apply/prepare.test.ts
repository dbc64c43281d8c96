import { expect, test } from "vitest"
import { lockstep } from "../../support/in-process.js"
import { createDatabase } from "../../support/postgres.js"
import { createProject } from "../../support/project.js"

const name = "20260103000000_v"
const before = {
  "20260101000000_init": "CREATE TABLE account (id int);",
  "20260102000000_index": "CREATE INDEX CONCURRENTLY account_id ON account (id);",
}

test.each([
  ["ROLLBACK", "CREATE TABLE v (id int);\nINSERT INTO v VALUES (1);\n  ROLLBACK;", "3:3"],
  ["COMMIT", "CREATE TABLE v (id int);\nSELECT 1/0;\nCOMMIT;", "3:1"],
  ["end", "CREATE TABLE v (id int);\nend;", "2:1"],
  ["COMMIT AND CHAIN", "CREATE TABLE v (id int);\nCOMMIT AND CHAIN;\nCOMMIT;", "2:1"],
  ["BEGIN", "CREATE TABLE v (id int);\nBEGIN;\nINSERT INTO v VALUES (1);", "2:1"],
])("a file with a %s of no pair is refused before any file is applied", async (word, sql, place) => {
  const database = await createDatabase()
  const project = createProject({ migrations: { ...before, [name]: sql } })
  const failed = await lockstep(["deploy"], { cwd: project.root, url: database.url })
  expect(failed, failed.all).toMatchObject({ exitCode: 1 })
  expect(failed.stderr).toContain(`error[L1019]: ${word} `)
  expect(failed.stderr).toContain(`${name}/migration.sql:${place}\n`)
  expect(failed.stderr).toContain("state:  nothing was applied or recorded.")
  expect(await database.query("SELECT to_regclass('v') AS v, to_regclass('account') AS account")).toEqual([
    { v: null, account: null },
  ])
  expect(await database.query("SELECT FROM _prisma_migrations")).toHaveLength(0)

  project.migration(
    name,
    "BEGIN;\nBEGIN;\nCREATE TABLE v (id int);\nCOMMIT AND CHAIN;\nINSERT INTO v VALUES (1);\nEND;",
  )
  const done = await lockstep(["deploy"], { cwd: project.root, url: database.url })
  expect(done, done.all).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT id FROM v")).toEqual([{ id: 1 }])
})

test("--resume refuses such an end of a file, too, and keeps what is applied", async () => {
  const database = await createDatabase()
  const sql = (rest: string) => `CREATE TABLE v (id int);\nBEGIN;\nINSERT INTO v VALUES (1);\n${rest}`
  const project = createProject({ migrations: { [name]: sql("INSERT INTO nothing VALUES (1);\nCOMMIT;") } })
  const deploy = (...args: string[]) => lockstep(["deploy", ...args], { cwd: project.root, url: database.url })
  expect((await deploy()).stderr).toContain("statement 4 of 5")
  project.migration(name, sql(""))
  const refused = await deploy("--resume")
  expect(refused.stderr).toContain("error[L1019]: BEGIN begins a transaction that the file does not end")
  expect(refused.stderr).toContain("state:  nothing more was applied or recorded.")
  project.migration(name, sql("COMMIT;"))
  expect(await deploy("--resume")).toMatchObject({ exitCode: 0 })
  expect(await database.query("SELECT id FROM v")).toEqual([{ id: 1 }])
})
