import { DatabaseError } from "pg"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type Client, connect } from "../../src/postgres/connect.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { withoutValues } from "../../src/rehearse/data.js"
import { findOffenders } from "../../src/rehearse/offenders.js"
import { parseScript } from "../../src/sql/parse.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"

let database: TestDatabase
let client: Client
beforeAll(async () => {
  database = await createDatabase()
  client = await connect(parseDatabaseUrl(database.url))
  await client.query(`CREATE TABLE item (id int PRIMARY KEY, "Code" text, size int);
    INSERT INTO item VALUES (1, 'a', 1), (2, 'a', 1), (3, 'b', 1);
    CREATE TABLE named (id int PRIMARY KEY, code text); CREATE UNIQUE INDEX named_code ON named (code);
    CREATE UNIQUE INDEX named_lower ON named (lower(code));`)
})
afterAll(async () => {
  await client.end()
  await database.drop()
})

/** What is found for a script whose last statement has violated a unique constraint, on a server that speaks German. */
async function found(sql: string, constraint: string, table = "item") {
  const parsed = await parseScript(sql)
  const statements = parsed.kind === "script" ? parsed.statements : []
  const [statement, ...before] = statements.toReversed()
  if (statement === undefined) throw new Error("there is no statement")
  const error = new DatabaseError("doppelter Schlüsselwert verletzt Unique-Constraint", 0, "error")
  Object.assign(error, {
    code: "23505",
    schema: "public",
    table,
    constraint,
    detail: 'Schlüssel »("Code")=(a)« existiert.',
  })
  return await findOffenders(client, { error, statement, before, schema: "public", shows: "keys" })
}

test.each([
  ["an index", `CREATE UNIQUE INDEX u ON item ("Code")`, "u"],
  ["an index without a name", `CREATE UNIQUE INDEX ON item ("Code")`, "item_Code_idx"],
  ["an index over two columns", `CREATE UNIQUE INDEX u ON item ("Code", size)`, "u"],
  ["a constraint", `ALTER TABLE item ADD CONSTRAINT c UNIQUE ("Code")`, "c"],
  [
    "an index of an earlier statement",
    `CREATE UNIQUE INDEX u ON item ("Code"); SELECT 1; UPDATE item SET "Code" = 'a'`,
    "u",
  ],
])("the rows that are equal are found in any language: %s", async (_, sql, constraint) => {
  expect(await found(sql, constraint)).toMatchObject({ table: '"item"', key: ["id"], count: 2, rows: ["[1]", "[2]"] })
})

test("by the index that the database has; what an index computes is not looked for", async () => {
  expect(await found("UPDATE named SET code = 'x'", "named_code", "named")).toBeUndefined()
  await client.query("BEGIN; DROP INDEX named_code, named_lower; INSERT INTO named VALUES (1, 'a'), (2, 'a')")
  await client.query("CREATE INDEX named_code ON named (code)")
  expect(await found("UPDATE named SET code = 'x'", "named_code", "named")).toMatchObject({ count: 2 })
  await client.query("CREATE INDEX named_lower ON named (lower(code))")
  expect(await found("UPDATE named SET code = 'x'", "named_lower", "named")).toBeUndefined()
  await client.query("ROLLBACK")
})

test.each([
  ['invalid input syntax for type integer: "thirty"', "invalid input syntax for type integer"],
  ['value "70007" is out of range for type smallint', "value (a value) is out of range for type smallint"],
  ["ungültige Eingabesyntax für Typ integer: »thirty«", "ungültige Eingabesyntax für Typ integer"],
  [
    "Wert »70007« ist außerhalb des gültigen Bereichs für Typ smallint",
    "Wert (a value) ist außerhalb des gültigen Bereichs für Typ smallint",
  ],
  ["integer out of range", "integer out of range"],
])("no value of a row is told: %s", (message, told) => {
  const error = new DatabaseError(message, 0, "error")
  error.code = "22P02"
  expect(withoutValues(error)).toBe(told)
})
