import { expect, test } from "vitest"
import { openRuns } from "./runs.js"

const counter = "CREATE TABLE counter (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);"
const rows = (count: number) => `INSERT INTO counter SELECT g * 3 FROM generate_series(1, ${count}) g;`

test("every row is changed once, in batches, and a second run changes nothing", async () => {
  const { database, run, events, recorded } = await openRuns(counter + rows(2500), {
    one: "UPDATE counter SET n = n + 1;\n",
  })
  expect(await run({ batch: 400 })).toMatchObject({ finished: ["one"], finishedBefore: [] })
  expect(await database.query("SELECT n, count(*)::int FROM counter GROUP BY n")).toEqual([{ n: 1, count: 2500 }])
  expect(await recorded()).toEqual([
    {
      name: "one",
      last_key: ["7500"],
      upper_key: ["7500"],
      rows: 2500,
      walked: 2500,
      batches: 7,
      finished: true,
      error: null,
    },
  ])
  expect(events.map(({ event }) => event).filter((event) => event !== "progress")).toEqual(["started", "finished"])
  expect(await run()).toMatchObject({ finished: [], finishedBefore: ["one"] })
  expect(await database.query("SELECT DISTINCT n FROM counter")).toEqual([{ n: 1 }])
  expect(await run({ restart: true })).toMatchObject({ finished: ["one"] })
  expect(await database.query("SELECT DISTINCT n FROM counter")).toEqual([{ n: 2 }])
})

test("a table without rows is done at once", async () => {
  const { run, recorded } = await openRuns(counter, { one: "UPDATE counter SET n = n + 1;\n" })
  expect(await run()).toMatchObject({ finished: ["one"] })
  expect(await recorded()).toMatchObject([{ rows: 0, batches: 0, finished: true }])
})

const keys: readonly (readonly [string, string, string])[] = [
  ["bigint", "bigint", "g::bigint * 1000003"],
  ["text", "text", "chr(65 + g % 57) || g || E'''\\\\é'"],
  ["text of another collation", 'text COLLATE "C"', "chr(65 + g % 57) || g || '-ß'"],
  ["char(n)", "char(12)", "chr(65 + g % 57) || g"],
  ["varchar", "varchar(20)", "g::text"],
  ["uuid", "uuid", "md5(g::text)::uuid"],
  ["timestamptz", "timestamptz", "timestamptz '2020-01-01' + g * interval '1.000001 s'"],
  ["date", "date", "date '1999-12-31' + g"],
  ["double precision", "double precision", "g / 3.0"],
  ["numeric", "numeric(12,4)", "g / 7.0"],
  ["bytea", "bytea", "decode(md5(g::text), 'hex')"],
  ["boolean and int", "int", "g"],
  ["an enum", "mood", "((enum_range(NULL::mood))[1 + g % 3])"],
  ["a domain", "positive", "g"],
]

test.for(keys)("a table is walked by a key of %s", async ([what, type, value]) => {
  const composite = what === "an enum" || what === "boolean and int"
  const first = what === "boolean and int" ? "g % 2 = 0" : "g"
  const sql = `CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN positive AS int CHECK (VALUE > 0);
    SET datestyle = 'SQL, DMY';
    CREATE TABLE item (${composite ? `a ${what === "an enum" ? "int" : "boolean"}, ` : ""}k ${type}, n int NOT NULL DEFAULT 0, PRIMARY KEY (${composite ? "k, a" : "k"}));
    INSERT INTO item SELECT ${composite ? `${first}, ` : ""}${value}, 0 FROM generate_series(1, 200) g;`
  const { database, run, recorded } = await openRuns(sql, { one: "UPDATE item AS i SET n = i.n + 1 WHERE true\n" })
  await database.query(`ALTER DATABASE ${database.name} SET datestyle = 'SQL, DMY'`)
  await database.query(`ALTER DATABASE ${database.name} SET extra_float_digits = -3`)
  await run({ batch: 7 })
  expect(await database.query("SELECT n, count(*)::int FROM item GROUP BY n")).toEqual([{ n: 1, count: 200 }])
  expect(await recorded()).toMatchObject([{ rows: 200, batches: 29, finished: true }])
})
