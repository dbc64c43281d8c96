import { expect, test } from "vitest"
import { createDatabase } from "../../support/postgres.js"
import { call } from "./calls.js"

const describe = async (url: string, source: string) =>
  await call({ method: "introspectSql", params: { url, queries: [{ name: "q", source }] } })

const column = (name: string, typ: string, nullable = true) => ({ name, typ, nullable })

test("a query's columns have their types, and are required where their tables' are", async () => {
  const { url, query } = await createDatabase()
  await query(`CREATE TYPE mood AS ENUM ('good');
    CREATE TABLE t (id bigint PRIMARY KEY, tags text[], price numeric NOT NULL, mood mood NOT NULL, at timestamptz)`)
  const { result } = await describe(url, "SELECT *, 1 AS one, price > 2 AS dear FROM t")
  expect(result).toMatchObject({
    queries: [
      {
        name: "q",
        documentation: null,
        parameters: [],
        resultColumns: [
          column("id", "bigint", false),
          column("tags", "string-array"),
          column("price", "decimal", false),
          column("mood", "mood", false),
          column("at", "datetime"),
          column("one", "int"),
          column("dear", "bool"),
        ],
      },
    ],
  })
})

test("an outer join may leave a required column empty", async () => {
  const { url, query } = await createDatabase()
  await query("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)")
  const { result } = await describe(url, "SELECT b.id FROM a LEFT JOIN b USING (id)")
  expect(result).toMatchObject({ queries: [{ resultColumns: [column("id", "int")] }] })
})

test("parameters have the server's types, or those that a comment gives them", async () => {
  const { url } = await createDatabase()
  const source = `-- @description Adds them.
-- @param {Int} $1:first the first
-- @param $2:second?
SELECT $1::bigint + $2::int AS sum, $3::uuid[] AS ids`
  const { result } = await describe(url, source)
  expect(result).toMatchObject({
    queries: [
      {
        source,
        documentation: "Adds them.",
        parameters: [
          { name: "first", typ: "int", nullable: false, documentation: "the first" },
          { name: "second", typ: "int", nullable: true, documentation: null },
          { name: "_3", typ: "uuid-array", nullable: false, documentation: null },
        ],
        resultColumns: [column("sum", "bigint"), column("ids", "uuid-array")],
      },
    ],
  })
})

test("a statement without columns has none; one that is wrong is the server's error", async () => {
  const { url, query } = await createDatabase()
  await query("CREATE TABLE t (id int)")
  const { result } = await describe(url, "INSERT INTO t VALUES ($1)")
  expect(result).toMatchObject({ queries: [{ parameters: [{ typ: "int" }], resultColumns: [] }] })
  expect(await query("SELECT * FROM t")).toEqual([])
  expect((await describe(url, "SELECT nothing")).message).toBe('ERROR: column "nothing" does not exist')
})
