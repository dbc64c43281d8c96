import pg from "pg"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type CastBy, castOf, lossOf } from "../../src/sql/casts.js"
import { parseScript } from "../../src/sql/parse.js"
import { parseType, printedType, typeChanges } from "../../src/sql/types.js"
import { createDatabase, type TestDatabase } from "../support/postgres.js"

let database: TestDatabase
let client: pg.Client

beforeAll(async () => {
  database = await createDatabase()
  client = new pg.Client(database.url)
  await client.connect()
})

afterAll(async () => {
  await client.end()
  await database.drop()
})

type Outcome = "kept" | "lost" | "fails" | "kept, in place"

/** What PostgreSQL does with one value: whether it comes back as it was when it is read as its old type again. */
async function observed(from: string, to: string, value: string, by: CastBy): Promise<Outcome> {
  await client.query("BEGIN")
  try {
    await client.query(`CREATE TABLE t (id int, v ${from}); INSERT INTO t VALUES (1, ${value})`)
    const look = async () => (await client.query<{ v: string; file: number }>(state)).rows[0]
    const before = await look()
    const using = by === "assignment" ? "" : ` USING v::${to}`
    await client.query(`ALTER TABLE t ALTER COLUMN v TYPE ${to}${using}`)
    const { file } = (await look()) ?? {}
    const after = await backAgain(from, look)
    if (before?.v !== after?.v) return "lost"
    return before?.file === file ? "kept, in place" : "kept"
  } catch {
    return "fails"
  } finally {
    await client.query("ROLLBACK")
  }
}

/** The value cast to its old type, directly or by its text; undefined where it cannot be. */
async function backAgain<T>(from: string, look: () => Promise<T>): Promise<T | undefined> {
  for (const value of ["v", "v::text"]) {
    await client.query("SAVEPOINT back")
    try {
      await client.query(`ALTER TABLE t ALTER COLUMN v TYPE ${from} USING ${value}::${from}`)
      return await look()
    } catch {
      await client.query("ROLLBACK TO back")
    }
  }
  return undefined
}

const state = "SELECT v::text, pg_relation_filenode('t')::int AS file FROM t"

/** A value for which the outcome shows, as SQL; the most that the old type holds where the new one is expected to keep it. */
const casts: readonly (readonly [from: string, to: string, value: string, outcome: Outcome, by?: CastBy])[] = [
  ["numeric(10,4)", "integer", "1.5", "lost"],
  ["numeric(10,4)", "numeric(10,2)", "1.2345", "lost"],
  ["numeric(4,1)", "numeric(3,0)", "999.9", "fails"],
  ["numeric(10,2)", "numeric(12,2)", "12345678.12", "kept, in place"],
  ["numeric(10,2)", "numeric", "12345678.12", "kept, in place"],
  ["numeric(10,2)", "numeric(11,4)", "12345678.12", "fails"],
  ["numeric(10,2)", "numeric(14,4)", "12345678.12", "kept"],
  ["numeric(9,0)", "integer", "999999999", "kept"],
  ["numeric(10,0)", "integer", "9999999999", "fails"],
  ["numeric", "numeric(10,2)", "1.234", "lost"],
  ["smallint", "integer", "32767", "kept"],
  ["integer", "bigint", "2147483647", "kept"],
  ["integer", "smallint", "40000", "fails"],
  ["bigint", "integer", "3000000000", "fails"],
  ["bigint", "numeric", "9223372036854775807", "kept"],
  ["integer", "numeric(10,2)", "2147483647", "fails"],
  ["integer", "numeric(12,2)", "2147483647", "kept"],
  ["integer", "double precision", "2147483647", "kept"],
  ["integer", "real", "16777217", "lost"],
  ["smallint", "real", "32767", "kept"],
  ["bigint", "double precision", "9007199254740993", "lost"],
  ["double precision", "real", "0.1234567890123", "lost"],
  ["real", "double precision", "1.5", "kept"],
  ["double precision", "integer", "1.5", "lost"],
  ["double precision", "numeric", "0.12345678901234568", "lost"],
  ["real", "numeric", "16777216", "lost"],
  ["numeric(5,2)", "real", "999.99", "kept"],
  ["numeric(18,2)", "double precision", "9999999999999999.99", "lost"],
  ["money", "numeric(20,2)", "12.34::money", "kept"],
  ["numeric(10,4)", "money", "1.2345", "lost"],
  ["text", "varchar(10)", "'abcdefghijk'", "fails"],
  ["text", "varchar(10)", "'abcdefghijk'", "lost", "explicit cast"],
  ["varchar(10)", "varchar(20)", "'abcdefghij'", "kept, in place"],
  ["varchar(20)", "varchar(10)", "'abcdefghijk'", "fails"],
  ["varchar(10)", "text", "'abcdefghij'", "kept, in place"],
  ["text", "varchar", "'abcdefghij'", "kept, in place"],
  ["varchar(10)", "char(20)", "'abcdefghij'", "kept"],
  ["char(10)", "varchar(10)", "'abcdefghij'", "kept"],
  ["varchar(10)", "varchar(10)", "'a'", "kept, in place"],
  ["integer", "text", "-2147483648", "kept"],
  ["integer", "varchar(11)", "-2147483648", "kept"],
  ["integer", "varchar(10)", "-2147483648", "fails"],
  ["boolean", "text", "false", "kept"],
  ["uuid", "text", "gen_random_uuid()", "kept"],
  ["integer[]", "text", "'{1,2}'", "kept"],
  ["text", "integer", "'1'", "fails"],
  ["text", "integer", "'007'", "lost", "explicit cast"],
  ["text", "date", "'2026-01-01 10:00'", "lost", "explicit cast"],
  ["timestamp(3)", "date", "'2026-01-01 10:00'", "lost"],
  ["timestamp", "time", "'2026-01-01 10:00'", "lost"],
  ["date", "timestamp(3)", "'2026-01-01'", "kept"],
  ["timestamp(6)", "timestamp(3)", "'2026-01-01 10:00:00.123456'", "lost"],
  ["timestamp", "timestamp(0)", "'2026-01-01 10:00:00.6'", "lost"],
  ["timestamp(3)", "timestamp(6)", "'2026-01-01 10:00:00.123'", "kept, in place"],
  ["timestamp(3)", "timestamp", "'2026-01-01 10:00:00.123'", "kept, in place"],
  ["timestamp(3)", "timestamptz(3)", "'2026-01-01 10:00'", "kept"],
  ["timetz", "time", "'10:00+02'", "lost"],
  ["time(6)", "time(0)", "'10:00:00.6'", "lost"],
  ["interval", "time", "'2 days 10:00'", "lost"],
  ["time", "interval", "'10:00'", "kept"],
  ["date", "time", "'2026-01-01'", "fails"],
  ["interval", "interval(0)", "'1.6 seconds'", "lost"],
  ["json", "jsonb", `'{"b": 1, "a": 2}'`, "lost"],
  ["jsonb", "json", `'{"b": 1, "a": 2}'`, "kept"],
  ["inet", "cidr", "'10.0.0.1/8'", "lost"],
  ["cidr", "inet", "'10.0.0.0/8'", "kept, in place"],
  ["integer", "boolean", "1", "fails"],
  ["integer", "boolean", "2", "lost", "explicit cast"],
  ["boolean", "integer", "true", "kept", "explicit cast"],
  ["bit(4)", "bit(3)", "B'1011'", "fails"],
  ["bit(4)", "bit(3)", "B'1011'", "lost", "explicit cast"],
  ["bit varying(3)", "bit varying(5)", "B'101'", "kept, in place"],
  ["integer[]", "bigint[]", "'{1}'", "kept"],
  ["numeric(10,4)[]", "integer[]", "'{1.5}'", "lost"],
  ["uuid", "integer", "gen_random_uuid()", "fails"],
]

describe("what a change of type does to the values is what PostgreSQL does", () => {
  const cases = casts.map(([from, to, value, outcome, by = "assignment"]) => ({ from, to, value, outcome, by }))
  test.each(cases)("$from to $to by $by, $value: $outcome", async ({ from, to, value, outcome, by }) => {
    expect(await observed(from, to, value, by)).toBe(outcome)
    const cast = castOf(from, to, by)
    if (cast.known === "no") throw new Error("not known")
    if (outcome === "lost") expect(cast.loses).toBeTypeOf("string")
    else if (outcome === "fails") expect(cast.fails).toBeTypeOf("string")
    else expect(cast).toEqual({ known: "yes", rewrites: outcome === "kept" })
  })
})

test("between timestamps with and without time zone it depends on the session's zone whether the table is written anew", async () => {
  expect(castOf("timestamp(3)", "timestamptz(6)")).toEqual({ known: "yes", rewrites: "depends" })
  const inZone = async (zone: string) => {
    await client.query(`SET timezone = '${zone}'`)
    return await observed("timestamp(3)", "timestamptz(6)", "'2026-01-01 10:00'", "assignment")
  }
  expect(await inZone("UTC")).toBe("kept, in place")
  expect(await inZone("Europe/Berlin")).toBe("kept")
})

test("of a user's type nothing is known, so it counts as one that may lose", () => {
  expect(castOf('"Mood"', '"Feeling"', "explicit cast")).toEqual({ known: "no" })
  expect(lossOf("integer", '"Amount"')).toBe("what the new type cannot hold")
  expect(lossOf('"Mood"', "text")).toBeUndefined()
})

test.each([
  ["VARCHAR(10)", "character varying(10)"],
  ["DECIMAL(10)", "numeric(10,0)"],
  ["timestamptz(3)", "timestamp(3) with time zone"],
  ["int4[]", "integer[]"],
  ["INTERVAL(3)", "interval(3)"],
  ["CHAR", "character(1)"],
  ['"Mood"[]', '"Mood"[]'],
  ["shop.mood", "shop.mood"],
])("%s in a statement is what PostgreSQL prints as %s", async (spelled, printed) => {
  const [change] = await typeChangesOf(`ALTER TABLE t ALTER COLUMN v TYPE ${spelled}`)
  expect(parseType(change?.to ?? "")).toEqual(parseType(printed))
  expect(printedType(spelled)).toBe(printed)
})

test("the columns whose type a statement changes are read from it, and whether by USING", async () => {
  const sql = `ALTER TABLE shop."Order" ADD COLUMN a int, ALTER "total" TYPE int, ALTER "note" SET DATA TYPE date USING "note"::date`
  const table = { schema: "shop", name: "Order" }
  expect(await typeChangesOf(sql)).toEqual([
    { table, column: "total", to: "int4", by: "assignment" },
    { table, column: "note", to: "date", by: "explicit cast" },
  ])
})

async function typeChangesOf(sql: string) {
  const script = await parseScript(sql)
  if (script.kind === "unparsed") throw new Error(script.message)
  return script.statements.flatMap(({ node }) => typeChanges(node))
}
